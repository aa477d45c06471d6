//! One workload on recorded input, for a count of its instructions.
//!
//! `.ci/instructions` runs each under callgrind at two sizes: the difference is the cost of a socket. Without
//! arguments it prints the names of the workloads.

#![expect(clippy::print_stdout, reason = "it is asked for names")]

mod recording;
mod workloads;

use workloads::{WORKLOADS, Work};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [name, sockets] = arguments.as_slice() else {
        for (name, _) in WORKLOADS {
            println!("{name}");
        }
        return;
    };
    let sockets = sockets.parse().expect("a number of sockets");
    let (_, prepare) = WORKLOADS.iter().find(|(known, _)| known == name).expect("the name of a workload");
    measured(prepare(sockets));
    // Without what is freed at the end.
    std::process::exit(0);
}

/// What callgrind counts: it begins again where this function is entered.
#[inline(never)]
fn measured(work: Work) {
    work();
}
