//! Divides a condition between the kernel and user space.
//!
//! The law is `filter ⊇ selection`: the kernel may let through what is not wanted, never the other
//! way round. Refuses to know how a filter is encoded.

use ipnet::IpNet;

use super::{Expression, Test, covers_mapped};
use crate::sockdiag::bytecode::Filter;

/// The two parts of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What the kernel judges.
    pub filter: Filter,
    /// What is still to be tested on the sockets that the kernel lets through.
    pub residual: Option<Expression>,
}

/// What the kernel may judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// Whatever it can.
    Everything,
    /// Only what never changes.
    WhatNeverChanges,
}

/// Divides a condition whose host names are resolved.
#[must_use]
pub fn split(expression: &Expression, _: Judge) -> Split {
    let conjuncts = match expression {
        Expression::All(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut residual = Expression::Always;
    for conjunct in conjuncts.iter().filter(|conjunct| !exact(conjunct)) {
        residual = residual.and(conjunct.clone());
    }
    let residual = Some(residual).filter(|residual| *residual != Expression::Always);
    Split { filter: simplified(bound(expression, Bound::Upper)), residual }
}

/// Whether the kernel judges every test of the condition as user space would.
fn exact(expression: &Expression) -> bool {
    expression.tests().all(|test| judged(test).is_some())
}

/// Which way a filter may err.
#[derive(Clone, Copy)]
enum Bound {
    /// Accepts at least what the condition accepts.
    Upper,
    /// Accepts at most what the condition accepts.
    Lower,
}

fn bound(expression: &Expression, side: Bound) -> Filter {
    let each = |list: &[Expression]| list.iter().map(|one| bound(one, side)).collect();
    match expression {
        Expression::Always => Filter::Always,
        Expression::Never => Filter::Never,
        Expression::All(all) => Filter::All(each(all)),
        Expression::Any(any) => Filter::Any(each(any)),
        Expression::Not(inner) => {
            let other = match side {
                Bound::Upper => Bound::Lower,
                Bound::Lower => Bound::Upper,
            };
            Filter::Not(Box::new(bound(inner, other)))
        }
        Expression::Is(test) => judged(test).unwrap_or(match side {
            Bound::Upper => Filter::Always,
            Bound::Lower => Filter::Never,
        }),
    }
}

/// The kernel's own form of a test, if it has one that agrees for every socket.
fn judged(test: &Test) -> Option<Filter> {
    Some(match test {
        Test::LocalPort(range) => Filter::LocalPort(range.clone()),
        Test::RemotePort(range) => Filter::RemotePort(range.clone()),
        Test::LocalAddress(network) => within(network, Filter::LocalAddress),
        Test::RemoteAddress(network) => within(network, Filter::RemoteAddress),
        Test::RemoteHost(_)
        | Test::Pid(_)
        | Test::Command(_)
        | Test::State(_)
        | Test::Direction(_)
        | Test::Congestion(_)
        | Test::Uid(_)
        | Test::Interface(_)
        | Test::InterfaceIndex(_)
        | Test::Mark { .. }
        | Test::Cgroup(_)
        | Test::CgroupId(_) => return None,
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
        Filter::All(list) => {
            let mut kept: Vec<_> =
                list.into_iter().map(simplified).filter(|f| *f != Filter::Always).collect();
            match (kept.contains(&Filter::Never), kept.len()) {
                (true, _) => Filter::Never,
                (_, 0) => Filter::Always,
                (_, 1) => kept.remove(0),
                _ => Filter::All(kept),
            }
        }
        Filter::Any(list) => {
            let mut kept: Vec<_> = list.into_iter().map(simplified).filter(|f| *f != Filter::Never).collect();
            match (kept.contains(&Filter::Always), kept.len()) {
                (true, _) => Filter::Always,
                (_, 0) => Filter::Never,
                (_, 1) => kept.remove(0),
                _ => Filter::Any(kept),
            }
        }
        Filter::Not(inner) => match simplified(*inner) {
            Filter::Always => Filter::Never,
            Filter::Never => Filter::Always,
            inner => Filter::Not(Box::new(inner)),
        },
        other => other,
    }
}
