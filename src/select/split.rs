//! Divides a condition between the kernel and user space.
//!
//! The law is `filter ⊇ selection`: the kernel may let through what is not wanted, never the other
//! way round.

use ipnet::IpNet;

use super::{Expression, Test, covers_mapped};
use crate::properties::KernelFilter;
use sockdiag::bytecode::Filter;

/// The two parts of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What the kernel judges.
    pub filter: Filter,
    /// What is still to be tested on the sockets that the kernel lets through.
    pub residual: Option<Expression>,
}

/// What the kernel is asked to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// Whatever it can: for a condition on the sockets as they are now, its names resolved.
    Everything,
    /// The same on a kernel before Linux 5.8, which refuses a program that speaks of cgroups.
    EverythingButCgroups,
    /// Only what holds as long as a socket lives, so that the filter lets a socket through always or never: for
    /// a condition whose names are left as they are, because what they stand for changes.
    WhatNeverChanges,
}

/// Divides a condition.
#[must_use]
pub fn split(expression: &Expression, judge: Judge) -> Split {
    let conjuncts = match expression {
        Expression::All(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut residual = Expression::Always;
    for conjunct in conjuncts.iter().filter(|conjunct| !exact(conjunct, judge)) {
        residual = residual.and(conjunct.clone());
    }
    let residual = Some(residual).filter(|residual| *residual != Expression::Always);
    Split { filter: simplified(bound(expression, judge, true)), residual }
}

/// Whether the kernel judges every test of the condition as user space would.
fn exact(expression: &Expression, judge: Judge) -> bool {
    expression.tests().all(|test| judged(test, judge).is_some())
}

/// The filter of a condition, in which a test that the kernel cannot judge is taken as fulfilled, or as not.
fn bound(expression: &Expression, judge: Judge, fulfilled: bool) -> Filter {
    let each = |list: &[Expression]| list.iter().map(|one| bound(one, judge, fulfilled)).collect();
    match expression {
        Expression::Always => Filter::Always,
        Expression::Never => Filter::Never,
        Expression::All(all) => Filter::All(each(all)),
        Expression::Any(any) => Filter::Any(each(any)),
        Expression::Not(inner) => Filter::Not(Box::new(bound(inner, judge, !fulfilled))),
        Expression::Is(test) => {
            judged(test, judge).unwrap_or(if fulfilled { Filter::Always } else { Filter::Never })
        }
    }
}

/// The kernel's own form of a test, if it has one that agrees for every socket.
///
/// It also knows marks, but reports them only with `CAP_NET_ADMIN`.
fn judged(test: &Test, judge: Judge) -> Option<Filter> {
    if judge == Judge::WhatNeverChanges && !test.is_fixed() {
        return None;
    }
    Some(match (test, test.property().line().kernel?) {
        (Test::Port(_, range), KernelFilter::Port(filter)) => filter(range.clone()),
        (Test::Network(_, network), KernelFilter::Address(filter)) => within(network, filter),
        (Test::InterfaceIndex(index), KernelFilter::Interface(filter)) => filter(*index),
        (Test::CgroupId(id), KernelFilter::Cgroup(filter)) if judge == Judge::Everything => filter(*id),
        _ => return None,
    })
}

fn within(network: &IpNet, end: fn(std::net::IpAddr, u8) -> Filter) -> Filter {
    let inside = end(network.network(), network.prefix_len());
    if covers_mapped(network) {
        // To the kernel a mapped address is also an IPv6 address, to us it is IPv4 alone.
        let mapped = end(std::net::Ipv4Addr::UNSPECIFIED.into(), 0);
        return Filter::All(vec![inside, Filter::Not(Box::new(mapped))]);
    }
    inside
}

/// The same filter without constants inside.
fn simplified(filter: Filter) -> Filter {
    match filter {
        Filter::All(list) => joined(list, Filter::Always, Filter::Never, Filter::All),
        Filter::Any(list) => joined(list, Filter::Never, Filter::Always, Filter::Any),
        Filter::Not(inner) => match simplified(*inner) {
            Filter::Always => Filter::Never,
            Filter::Never => Filter::Always,
            inner => Filter::Not(Box::new(inner)),
        },
        other => other,
    }
}

/// The filters joined by `link`: `neutral` says nothing beside others, and `decisive` says all.
fn joined(list: Vec<Filter>, neutral: Filter, decisive: Filter, link: fn(Vec<Filter>) -> Filter) -> Filter {
    let mut kept: Vec<_> = list.into_iter().map(simplified).filter(|filter| *filter != neutral).collect();
    match kept.len() {
        _ if kept.contains(&decisive) => decisive,
        0 => neutral,
        1 => kept.remove(0),
        _ => link(kept),
    }
}
