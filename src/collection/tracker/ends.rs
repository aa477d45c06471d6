//! The last values of followed sockets that have ended since the last complete collection.
//!
//! A row that holds several connections keeps what each has counted to its end.

use hashbrown::HashMap;

use crate::aggregate::Departed;
use crate::metrics::Source;
use crate::view::View;

/// Sockets that have ended, by identity.
#[derive(Debug, Default)]
pub(in crate::collection) struct Ends(HashMap<u64, End>);

#[derive(Debug)]
struct End {
    /// The number of the dump that was or had last been under way.
    dump: u32,
    values: Box<[(Source, u64)]>,
}

impl Ends {
    /// Notes the last values of a socket, if there are fewer than `most`.
    pub(super) fn note(
        &mut self,
        socket: u64,
        dump: u32,
        values: impl Iterator<Item = (Source, u64)>,
        most: usize,
    ) {
        if self.0.len() < most {
            self.0.insert(socket, End { dump, values: values.collect() });
        }
    }

    /// What a complete collection needs to know for the rows of a view.
    pub(in crate::collection) const fn of<'a>(&'a self, view: &'a View) -> impl Departed + 'a {
        OfView { ends: self, view }
    }

    /// A collection is complete: only sockets that ended during its dump may still be in a row.
    pub(super) fn forget(&mut self, dump: u32) {
        self.0.retain(|_, end| end.dump == dump);
        if self.0.is_empty() {
            self.0 = HashMap::new();
        }
    }
}

struct OfView<'a> {
    ends: &'a Ends,
    view: &'a View,
}

impl Departed for OfView<'_> {
    fn last(&self, socket: u64, column: usize) -> Option<u64> {
        let end = self.ends.0.get(&socket)?;
        let source = self.view.columns.get(column)?.metric.source;
        end.values.iter().find(|(of, _)| *of == source).map(|(_, value)| *value)
    }
}
