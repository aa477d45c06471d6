//! The scraper of these tests notices what is wrong in a scrape.

use testkit::scrape::{Scrape, Scrapes};

#[test]
fn a_counter_that_falls_is_noticed_even_after_its_row_was_away() {
    for series in ["a_total{x=\"1\"}", "h_bucket{le=\"1\"}", "h_count", "h_sum"] {
        let text = |sample: &str| format!("# TYPE a_total counter\n# TYPE h histogram\n{sample}");
        let fallen = std::panic::catch_unwind(|| {
            let mut scrapes = Scrapes::default();
            scrapes.add(&text(&format!("{series} 5\n")));
            scrapes.add(&text(""));
            scrapes.add(&text(&format!("{series} 4\n")));
        });
        assert!(fallen.is_err(), "{series}");
    }
}

#[test]
fn what_is_no_exposition_is_noticed() {
    let faults = [
        "# TYPE a gauge\na 1",
        "# TYPE a gauge\na\n",
        "# TYPE a gauge\na NaN\n",
        "# TYPE a gauge\na 1\na 2\n",
        "# TYPE a gauge\na{x=\"\"\"} 1\n",
        "# TYPE a gauge\n# TYPE a gauge\n",
        "b 1\n",
        "\n",
    ];
    for fault in faults {
        assert!(Scrape::read(fault).is_err(), "{fault}");
    }
}

#[test]
fn a_gauge_may_fall_and_rows_add_up() {
    let mut scrapes = Scrapes::default();
    let text = "# HELP a A.\n# TYPE a gauge\na{x=\"\\\"\"} 5\na{x=\"}\"} 2\n";
    assert_eq!(scrapes.add(text).sum("a"), 7);
    assert_eq!(scrapes.add("# TYPE a gauge\na{x=\"}\"} 1\n").sum("a"), 1);
    assert_eq!((scrapes.kept().len(), scrapes.last().sum("b")), (2, 0));
}
