//! "Did you mean": the known name nearest to a word.

/// The known name that a word was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    known
        .map(|name| (distance(word, name), name))
        .filter(|(distance, name)| distance * 3 <= letters.max(name.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be added, removed or replaced; upper case counts as lower case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.to_lowercase().chars().enumerate() {
        let (mut left, mut next) = (index + 1, vec![index + 1]);
        for (target, above) in other.iter().zip(row.windows(2)) {
            if let &[diagonal, above] = above {
                left = (diagonal + usize::from(*target != letter)).min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_number_of_edits() {
        for (one, other, edits) in [
            ("", "", 0),
            ("", "rtt", 3),
            ("rtt", "", 3),
            ("rtt", "RTT", 0),
            ("gagues", "gauges", 2),
            ("cwnds", "cwnd", 1),
        ] {
            assert_eq!(distance(one, other), edits, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_name_is_none_if_every_name_is_far() {
        let known = || ["gauges", "histograms", "counters"].into_iter();
        assert_eq!(nearest("gagues", known()), Some("gauges"));
        assert_eq!(nearest("Counter", known()), Some("counters"));
        assert_eq!(nearest("x", known()), None);
        assert_eq!(nearest("selection", known()), None);
        assert_eq!(nearest("", known()), None);
    }
}
