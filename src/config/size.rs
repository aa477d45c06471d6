//! An amount of memory as people write it: `65536`, `512KiB`, `32MiB`, `1GiB`.

use std::ops::RangeInclusive;

use crate::strict_yaml::Entry;

/// The number of bytes of an entry, if it lies in the range.
pub(super) fn read(entry: &Entry<'_>, range: &RangeInclusive<usize>, expected: &str) -> Option<usize> {
    entry.parsed(expected, |text| parse(text).filter(|size| range.contains(size)))
}

fn parse(text: &str) -> Option<usize> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit: usize = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_of_bytes_or_has_a_binary_unit() {
        assert_eq!(parse("65536"), Some(65_536));
        assert_eq!(parse("64KiB"), Some(65_536));
        assert_eq!(parse("32MiB"), Some(33_554_432));
        assert_eq!(parse("1GiB"), Some(1_073_741_824));
        for text in ["", "MiB", "32MB", "32 MiB", "-1", "1.5MiB", "32mib", "99999999999999999999GiB", "1TiB"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
