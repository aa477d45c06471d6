//! Which dumps and routes follow from views.

use std::time::Duration;

use super::*;
use crate::select::{Nothing, Test};

fn view(selection: Expression) -> View {
    let states = StateSet::of(&[State::Established]);
    View {
        name: "v".into(),
        origin: crate::view::Origin::Native,
        selection,
        states,
        by: Vec::new(),
        columns: Vec::new(),
        limit: None,
        aggregates: false,
        idle: Duration::ZERO,
    }
}

fn port(port: u16) -> Expression {
    Expression::Is(Test::Port(Property::LocalPort, port..=port))
}

fn program(selections: Vec<Expression>) -> Program {
    let views = selections.into_iter().map(view).collect();
    let config = Config {
        views,
        legacy_meta: false,
        networks: Arc::default(),
        collect: Collect::DEFAULT,
        warnings: Vec::new(),
    };
    Plan::new(config).program(&Nothing)
}

#[test]
fn views_of_the_same_sockets_share_a_route_that_the_kernel_judges() {
    let program = program(vec![port(1), port(1)]);
    let [route] = &program.routes[..] else { panic!("{program:?}") };
    assert_eq!((&route.views[..], &route.test), (&[0, 1][..], &None));
    assert!(program.request.is_some_and(|request| request.filter.is_some()));
}

#[test]
fn views_of_different_sockets_share_a_dump_of_either_and_test_for_themselves() {
    let program = program(vec![port(1), port(2)]);
    let tests: Vec<_> = program.routes.iter().map(|route| route.test.clone()).collect();
    assert_eq!(tests, [Some(port(1)), Some(port(2))]);
    let either = compile(&Filter::Any(vec![Filter::LocalPort(1..=1), Filter::LocalPort(2..=2)]));
    assert_eq!(program.request.expect("a dump").filter, either.ok());
}

#[test]
fn what_asks_for_directions_asks_the_kernel_for_what_they_depend_on() {
    let extensions = |view: &str| {
        let config = Config::parse("a.yml", &format!("views: {{v: {{{view}, metrics: [sockets]}}}}"));
        let plan = Plan::new(config.expect("a configuration"));
        plan.program(&Nothing).request.expect("a dump").extensions
    };
    for view in ["by: [direction]", "by: [service_port]", "by: [state], select: direction = inbound"] {
        assert_eq!(extensions(view), Extensions::INFO, "{view}");
    }
    assert_eq!(extensions("by: [ip_version]"), Extensions::NONE);
}

#[test]
fn a_view_of_all_sockets_leaves_nothing_to_the_kernel() {
    let program = program(vec![port(1), Expression::Always]);
    assert_eq!(program.request.expect("a dump").filter, None);
    assert_eq!(program.routes[0].test, Some(port(1)));
}

#[test]
fn a_selection_too_long_for_the_kernel_is_tested_here() {
    let long = Expression::Any((0..6000).map(port).collect());
    let program = program(vec![long.clone()]);
    assert_eq!(program.request.expect("a dump").filter, None);
    assert_eq!(program.routes[0].test, Some(long));
}

#[test]
fn nothing_is_dumped_for_a_host_without_an_address() {
    let nowhere = Expression::Is(Test::RemoteHost("nowhere".into()));
    assert_eq!(program(vec![nowhere]).request, None);
}
