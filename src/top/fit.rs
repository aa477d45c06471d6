//! Which columns fit into a width, and how wide each is.

use super::column::{COLUMNS, ColumnLine, TopColumn};

/// Columns up to this rank are there even if their texts are cut; others only if no text is cut for them.
const ESSENTIAL: u8 = 7;

/// The columns from left to right, each with its cells: those of the lowest rank that fit, and always the one that is
/// sorted by. `wanted` says how many cells the texts of a column take.
pub(super) fn fit(
    width: u16,
    of_groups: bool,
    sorted: Option<TopColumn>,
    wanted: impl Fn(TopColumn) -> u16,
) -> Vec<(&'static ColumnLine, u16)> {
    let rank = |line: &ColumnLine| if sorted == Some(line.column) { 0 } else { line.rank };
    // The title of the column that is sorted by has an arrow.
    let title = |line: &ColumnLine| cells(line.title) + u16::from(sorted == Some(line.column));
    let most = |line: &ColumnLine| wanted(line.column).min(line.width.1).max(title(line));
    let mut ranked: Vec<_> =
        COLUMNS.iter().filter(|line| if of_groups { line.of.1 } else { line.of.0 }).collect();
    ranked.sort_by_key(|line| rank(line));
    // A gap of one cell stands between columns.
    let mut free = width + 1;
    let mut fitting: Vec<(&ColumnLine, u16)> = Vec::new();
    let (essential, others) = ranked.split_at(ranked.partition_point(|line| rank(line) <= ESSENTIAL));
    for line in essential {
        let least = line.width.0.max(title(line)).min(most(line));
        if let Some(rest) = free.checked_sub(least + 1) {
            free = rest;
            fitting.push((line, least));
        }
    }
    for (line, cells) in &mut fitting {
        let more = most(line).saturating_sub(*cells).min(free);
        *cells += more;
        free -= more;
    }
    for line in others {
        if let Some(rest) = free.checked_sub(most(line) + 1) {
            free = rest;
            fitting.push((line, most(line)));
        }
    }
    let place = |line: &ColumnLine| COLUMNS.iter().position(|other| other.column == line.column);
    fitting.sort_by_key(|(line, _)| place(line));
    fitting
}

fn cells(title: &str) -> u16 {
    u16::try_from(title.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(width: u16, sorted: Option<TopColumn>) -> Vec<&'static str> {
        let fitted = fit(width, false, sorted, |_| 100);
        assert!(fitted.iter().map(|(_, cells)| cells + 1).sum::<u16>() <= width + 1, "{width}");
        fitted.iter().map(|(line, _)| line.title).collect()
    }

    #[test]
    fn the_most_important_columns_fit_and_the_one_that_is_sorted_by_always_does() {
        assert_eq!(
            titles(80, None),
            ["State", "Local", "Remote", "Process", "Send/s", "Recv/s", "RTT", "Bottleneck"]
        );
        assert!(titles(80, Some(TopColumn::SendQueue)).contains(&"Send-Q"));
        assert_eq!(titles(60, None), ["Local", "Remote", "Process", "Send/s", "Recv/s", "RTT"]);
        assert!(titles(60, Some(TopColumn::Container)).contains(&"Container"));
        let all = COLUMNS.iter().filter(|line| line.of.0).count();
        assert_eq!(titles(250, None).len(), all);
    }

    #[test]
    fn no_column_is_wider_than_its_texts_need() {
        let fitted = fit(200, true, None, |column| if column == TopColumn::Group { 20 } else { 3 });
        let group = fitted.iter().find(|(line, _)| line.column == TopColumn::Group);
        assert_eq!(group.map(|(_, cells)| *cells), Some(20));
    }
}
