//! What a page is asked to show: the query of its address, and the addresses of the pages that differ from it.

use form_urlencoded::Serializer;

use crate::listing::{Query, Refusal, protocols};
use crate::properties::Property;
use crate::suggest::nearest;
use sockdiag::Protocol;

/// What the rows of the first table are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// A connection each.
    #[default]
    Flow,
    /// The sockets with the same value of a label each.
    Label(Property),
    /// The sockets of the same direction and service port each.
    Service,
}

/// The groupings by their names in an address, with what the page calls them.
pub(super) const GROUPINGS: [(&str, &str, GroupBy); 6] = [
    ("flow", "Connections", GroupBy::Flow),
    ("process", "Processes", GroupBy::Label(Property::Process)),
    ("service", "Services", GroupBy::Service),
    ("unit", "Units", GroupBy::Label(Property::Unit)),
    ("container", "Containers", GroupBy::Label(Property::ContainerId)),
    ("network", "Remote networks", GroupBy::Label(Property::RemoteNetwork)),
];

/// By which column rows are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOrder {
    /// The name of the column.
    pub column: String,
    /// Whether the greatest comes first.
    pub falling: bool,
}

/// What a page is asked to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The protocols, each once.
    pub protocols: Vec<&'static Protocol>,
    /// The filter, in the language of `ss`.
    pub filter: String,
    /// What the rows are.
    pub group: GroupBy,
    /// Their order; the busiest first if none is asked for.
    pub order: Option<PageOrder>,
    /// Whether all that is known of a few sockets is shown in place of tables.
    pub details: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        let Query { protocols, .. } = Query::default();
        Self { protocols, filter: String::new(), group: GroupBy::Flow, order: None, details: false }
    }
}

impl PageRequest {
    /// Reads the part of a URL behind the question mark.
    ///
    /// # Errors
    /// Names the parameter that is unknown or wrong, and what is expected.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut request = Self::default();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*key {
                "filter" => value.trim().clone_into(&mut request.filter),
                "protocol" => {
                    let named = protocols(value.split(',').filter(|word| !word.is_empty()));
                    let named = named.map_err(|error| Refusal(format!("protocol: {error}")))?;
                    request.protocols = if named.is_empty() { Self::default().protocols } else { named };
                }
                "sort" => request.order = order(&value),
                "group" => request.group = grouping(&value)?,
                "details" => request.details = true,
                _ => {
                    return Err(Refusal(format!(
                        "found {key:?} in the address; expected: protocol, filter, group, sort, details"
                    )));
                }
            }
        }
        Ok(request)
    }

    /// The address of the page, with nothing in it that is as usual.
    pub(super) fn address(&self) -> String {
        let mut query = Serializer::new(String::new());
        if self.protocols != Self::default().protocols {
            let names: Vec<_> = self.protocols.iter().map(|protocol| protocol.name).collect();
            query.append_pair("protocol", &names.join(","));
        }
        if !self.filter.is_empty() {
            query.append_pair("filter", &self.filter);
        }
        if let Some((name, ..)) = GROUPINGS.iter().skip(1).find(|(.., group)| *group == self.group) {
            query.append_pair("group", name);
        }
        if let Some(sort) = self.sort() {
            query.append_pair("sort", &sort);
        }
        if self.details {
            query.append_pair("details", "1");
        }
        match query.finish() {
            query if query.is_empty() => "/".to_owned(),
            query => format!("/?{query}"),
        }
    }

    /// The order as it stands in an address.
    pub(super) fn sort(&self) -> Option<String> {
        let order = self.order.as_ref()?;
        Some(format!("{}{}", if order.falling { "-" } else { "" }, order.column))
    }

    /// The same rows in this order.
    pub(super) fn sorted(&self, column: &str, falling: bool) -> Self {
        Self { order: Some(PageOrder { column: column.to_owned(), falling }), ..self.clone() }
    }

    /// The same sockets in other rows, which have other columns.
    pub(super) fn grouped(&self, group: GroupBy) -> Self {
        Self { group, order: None, details: false, ..self.clone() }
    }

    /// The connections among these sockets that also pass this filter.
    pub(super) fn narrowed(&self, condition: &str) -> Self {
        let filter = match self.filter.as_str() {
            "" => condition.to_owned(),
            before if before.split(" and ").any(|part| part == condition) => before.to_owned(),
            // An `or` binds less than the `and` that follows it.
            before if before.contains(" or ") || before.contains('|') => {
                format!("( {before} ) and {condition}")
            }
            before => format!("{before} and {condition}"),
        };
        let order = self.order.clone().filter(|_| self.group == GroupBy::Flow);
        Self { filter, order, group: GroupBy::Flow, details: false, ..self.clone() }
    }

    /// All that is known of the sockets that pass this filter.
    pub(super) fn detailed(&self, condition: String) -> Self {
        Self { filter: condition, details: true, order: None, ..self.clone() }
    }
}

fn order(value: &str) -> Option<PageOrder> {
    let column = value.trim_start_matches('-');
    (!column.is_empty()).then(|| PageOrder { column: column.to_owned(), falling: value.starts_with('-') })
}

fn grouping(value: &str) -> Result<GroupBy, Refusal> {
    let found = GROUPINGS.iter().find(|(name, ..)| *name == value);
    found.map(|(.., group)| *group).ok_or_else(|| unknown("group", value, GROUPINGS.iter().map(|one| one.0)))
}

/// There is no such value of a parameter.
pub(super) fn unknown(key: &str, value: &str, known: impl Iterator<Item = &'static str> + Clone) -> Refusal {
    let meant = nearest(value, known.clone()).map(|near| format!(", did you mean {near}?"));
    let (meant, known) = (meant.unwrap_or_default(), known.collect::<Vec<_>>().join(", "));
    Refusal(format!("{key}: found {value:?}{meant}; expected: {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for (name, _, group) in GROUPINGS {
            for filter in ["", "dport = :443", "process = \"a&b=c#+%\""] {
                for (sort, details) in [(None, false), (Some("-rtt_seconds"), true), (Some("process"), false)]
                {
                    let order = sort.and_then(order);
                    let protocols =
                        if details { vec![&sockdiag::UDP, &sockdiag::UNIX] } else { vec![&sockdiag::TCP] };
                    let request = PageRequest { protocols, filter: filter.into(), group, order, details };
                    let address = request.address();
                    let query = address.strip_prefix("/").expect("a path").trim_start_matches('?');
                    assert_eq!(PageRequest::read(query).expect("valid"), request, "{name} {address}");
                }
            }
        }
        assert_eq!(PageRequest::default().address(), "/");
    }

    #[test]
    fn what_is_wrong_in_an_address_is_named_with_what_is_expected() {
        for (query, said) in [
            ("group=proces", "group: found \"proces\", did you mean process?; expected: flow, process"),
            ("size=3", "found \"size\" in the address; expected: protocol, filter, group, sort, details"),
        ] {
            let refusal = PageRequest::read(query).expect_err(query).to_string();
            assert!(refusal.starts_with(said), "{refusal}");
        }
    }

    #[test]
    fn a_condition_is_added_once_and_to_all_of_the_filter() {
        let of = |filter: &str| PageRequest { filter: filter.into(), ..PageRequest::default() };
        for (before, after) in [
            ("", "state established"),
            ("dport = 1", "dport = 1 and state established"),
            ("dport = 1 or sport = 1", "( dport = 1 or sport = 1 ) and state established"),
            ("state established and dport = 1", "state established and dport = 1"),
        ] {
            assert_eq!(of(before).narrowed("state established").filter, after);
        }
    }
}
