//! The table once more, as Debian's promtool judges it.

use std::process::Command;

use super::cases::cases;
use super::fixtures::Fixtures;
use super::table::{Case, Outcome, Toolkit};

#[test]
fn promtool_agrees_where_it_can_judge() {
    let fixtures = Fixtures::new();
    let mut wrong = Vec::new();
    for Case { name, text, mode, outcome, toolkit } in cases(&fixtures) {
        fixtures.write("web.yml", &text);
        fixtures.allow("web.yml", mode);
        let judged =
            Command::new("promtool").args(["check", "web-config"]).arg(fixtures.path("web.yml")).output();
        let judged = judged.expect("promtool, of the package prometheus");
        let accepted = judged.status.success();
        let accepts = !matches!(outcome, Outcome::Refused(_));
        let as_expected = match toolkit {
            Toolkit::Same => accepted == accepts,
            Toolkit::Laxer => accepted && !accepts,
            Toolkit::Older => !accepted,
        };
        if !as_expected {
            wrong.push(format!("{name} ({toolkit:?}): {}", String::from_utf8_lossy(&judged.stdout)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
