//! What a walk hands its sockets to.

use crate::facts::Facts;
use crate::plan::Program;

/// What a walk hands its sockets to. The thread that receives them has it meanwhile.
pub(crate) trait Sink: Send + 'static {
    /// Takes a socket, once per walk, from a namespace with that program.
    fn socket(&mut self, facts: &Facts<'_>, program: &Program);

    /// Takes what is known of the connections that a listener will accept. Most sinks need no listener.
    fn listener(&mut self, _facts: &Facts<'_>, _program: &Program) {}
}

impl Sink for () {
    fn socket(&mut self, _: &Facts<'_>, _: &Program) {}
}
