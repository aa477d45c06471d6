//! Which dumps and routes follow from views.

use std::time::Duration;

use super::*;
use crate::select::{Nothing, Test};
use crate::view::ProtocolStates;
use sockdiag::TCP;

fn view(selection: Expression) -> View {
    let states = StateSet::of(&[State::Established]);
    View {
        name: "v".into(),
        origin: crate::view::Origin::Native,
        protocols: vec![ProtocolStates { protocol: PROTOCOL, states }],
        selection,
        by: Vec::new(),
        columns: Vec::new(),
        limit: None,
        ranked_by: None,
        aggregates: false,
        idle: Duration::ZERO,
    }
}

fn port(port: u16) -> Expression {
    Expression::Is(Test::Port(Property::LocalPort, port..=port))
}

fn plan(views: Vec<View>) -> Plan {
    Plan::new(Config {
        views,
        legacy_meta: false,
        names: Arc::default(),
        collect: Collect::DEFAULT,
        warnings: Vec::new(),
    })
}

fn program(selections: Vec<Expression>) -> Program {
    plan(selections.into_iter().map(view).collect()).program(PROTOCOL, &Nothing)
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
        plan.program(PROTOCOL, &Nothing).request.expect("a dump").extensions
    };
    for view in ["by: [direction]", "by: [service_port]", "by: [state], select: direction = inbound"] {
        assert_eq!(extensions(view), Extensions::INFO, "{view}");
    }
    assert_eq!(extensions("by: [ip_version]"), Extensions::NONE);
}

#[test]
fn a_counter_of_listeners_asks_for_no_connection_and_connections_for_no_more() {
    let request = |views: &str| {
        let plan = Plan::new(Config::parse("a.yml", &format!("views: {views}")).expect("a configuration"));
        let request = plan.program(PROTOCOL, &Nothing).request.expect("a dump");
        let asked = (request.extensions.contains(Attribute::Memory), request.of_listeners);
        (request.states, asked, plan.tracking.track_if.len())
    };
    let listeners = "l: {state: listen, by: [local_port]}";
    let listen = StateSet::of(&[State::Listen]);
    let apart = (false, Extensions::MEMORY);
    assert_eq!(request(&format!("{{{listeners}}}")), (listen, apart, 0));
    let both = format!("{{{listeners}, c: {{by: [local_port], metrics: [opened_total]}}}}");
    assert_eq!(request(&both), (PROTOCOL.connections.union(listen), apart, 1));
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

#[test]
fn each_protocol_is_asked_once_for_what_its_own_views_want() {
    const BARE: Protocol = Protocol {
        name: "bare",
        states: StateSet::of(&[State::Close]),
        takes_filter: false,
        close_events: None,
        ..TCP
    };
    let bare = |selection| View {
        protocols: vec![ProtocolStates { protocol: &BARE, states: StateSet::ALL }],
        aggregates: true,
        ..view(selection)
    };
    let plan = plan(vec![view(port(1)), bare(port(1)), bare(port(2))]);
    assert_eq!(plan.protocols, [PROTOCOL, &BARE]);
    let programs = plan.programs(&Nothing);
    let [tcp, bare] = &programs[..] else { panic!("{programs:?}") };
    assert_eq!(tcp.routes.iter().map(|route| route.views.as_slice()).collect::<Vec<_>>(), [[0]]);
    assert!(tcp.aggregated.iter().all(|wanted| wanted.states.is_empty()));
    assert!(tcp.request.as_ref().is_some_and(|request| request.filter.is_some()));
    let request = bare.request.as_ref().expect("a dump");
    assert_eq!((request.protocol, request.states), (&BARE, BARE.states));
    assert_eq!((&request.filter, bare.routes.len()), (&None, 0));
    assert!(bare.aggregated.iter().all(|wanted| wanted.states == StateSet::ALL));
}
