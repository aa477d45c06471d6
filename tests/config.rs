//! Every configuration of the predecessor that was ever published, and what its author meant by it.

use ss_exporter::config::Config;
use ss_exporter::metrics::Aggregation;
use ss_exporter::properties::Property;
use ss_exporter::select::{Expression, Test};
use ss_exporter::view::View;

const SECOND_ALL: &str = "tcp_rtt tcp_cwnd tcp_delivery_rate_bytes tcp_data_segs_in tcp_data_segs_out";
const THIRD_ALL: &str = "tcp_rtt tcp_cwnd tcp_delivery_rate tcp_data_segs_in tcp_data_segs_out";
const SECOND_HISTOGRAM: &str = "tcp_rtt_hist_ms[0.1 0.5 1 5 10 50 100 200 500]";
const THIRD_HISTOGRAM: &str =
    "tcp_rtt_hist_ms[0.001 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 25 50 100 250 500 1000]";
const PROCESS: &str = "(pid 200 or pid 1500 or cmd firefox)";
const PORTS: &str = "(sport 2000-10000 or dport 2000-10000)";
const THIRD_SELECTION: &str = "(sport 80-443 or dport 80-443 or sport 8000-9000 or dport 8000-9000) \
     and (dst 8.8.8.8/32 or dst 1.1.1.1/32 or dst 10.0.0.0/8 or dst 192.168.0.0/16 or host example.com) \
     and (pid 1000 or pid 2000 or cmd nginx or cmd apache2)";

/// What a file asks for: its flow rows, the row over all flows, and the selection of both.
struct Meant<'a> {
    label: &'a str,
    flow: &'a str,
    totals: &'a str,
    selection: &'a str,
    third: bool,
}

macro_rules! means {
    ($test:ident, $file:literal, $meant:expr) => {
        #[test]
        fn $test() {
            check($file, include_str!(concat!("configs/", $file)), &$meant);
        }
    };
}

fn check(file: &str, text: &str, meant: &Meant<'_>) {
    let config = Config::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
    let flow = ("legacy", meant.label, Some(10_000), meant.flow);
    let expected: Vec<_> = [flow, ("legacy_totals", "", None, meant.totals)]
        .into_iter()
        .filter(|(_, _, _, columns)| !columns.is_empty())
        .map(|(name, label, limit, columns)| {
            format!("{name} by [{label}] limit {limit:?}: {columns}\n  of {}\n", meant.selection)
        })
        .collect();
    let views: Vec<_> = config.views.iter().map(summary).collect();
    assert_eq!(views, expected);
    assert_eq!(config.legacy_meta, meant.third);
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!(config.collect.deadline.as_secs(), 5);
}

fn summary(view: &View) -> String {
    let label = |label: &Property| if *label == Property::Flow { "raw_endpoint" } else { "pid_condensed" };
    let columns = view.columns.iter().map(|column| match &column.aggregation {
        Aggregation::CurrentHistogram(bounds) => {
            let bounds: Vec<_> = bounds.iter().map(ToString::to_string).collect();
            format!("{}[{}]", column.name, bounds.join(" "))
        }
        _ => column.name.clone(),
    });
    format!(
        "{} by [{}] limit {:?}: {}\n  of {}\n",
        view.name,
        view.by.iter().map(label).collect::<Vec<_>>().join(" "),
        view.limit,
        columns.collect::<Vec<_>>().join(" "),
        phrase(&view.selection)
    )
}

fn phrase(expression: &Expression) -> String {
    let joined = |list: &[Expression], word: &str| list.iter().map(phrase).collect::<Vec<_>>().join(word);
    match expression {
        Expression::Always => "everything".to_owned(),
        Expression::Never => "nothing".to_owned(),
        Expression::All(all) => joined(all, " and "),
        Expression::Any(any) => format!("({})", joined(any, " or ")),
        Expression::Not(inner) => format!("not {}", phrase(inner)),
        Expression::Is(Test::Port(Property::LocalPort, range)) => {
            format!("sport {}-{}", range.start(), range.end())
        }
        Expression::Is(Test::Port(Property::RemotePort, range)) => {
            format!("dport {}-{}", range.start(), range.end())
        }
        Expression::Is(Test::Network(Property::RemoteAddress, network)) => format!("dst {network}"),
        Expression::Is(Test::RemoteHost(host)) => format!("host {host}"),
        Expression::Is(Test::Number(Property::Pid, pid)) => format!("pid {pid}"),
        Expression::Is(Test::Text(Property::Process, name)) => format!("cmd {name}"),
        Expression::Is(other) => format!("{other:?}"),
    }
}

const SECOND: Meant<'_> = Meant {
    label: "pid_condensed",
    flow: SECOND_ALL,
    totals: SECOND_HISTOGRAM,
    selection: "everything",
    third: false,
};

const THIRD: Meant<'_> =
    Meant { label: "raw_endpoint", flow: THIRD_ALL, totals: "", selection: "everything", third: true };

means!(the_example_of_2x_shows_everything_by_process, "2x_example.yml", SECOND);
means!(
    sections_narrow_and_entries_widen,
    "2x_selection.yml",
    Meant {
        selection: &format!("{PORTS} and (dst 8.8.4.4/32 or dst 10.0.0.0/8 or host some.de) and {PROCESS}"),
        ..SECOND
    }
);
means!(processes_alone_select, "2x_selection_process.yml", Meant { selection: PROCESS, ..SECOND });
means!(
    peers_alone_select,
    "2x_selection_peering.yml",
    Meant {
        label: "raw_endpoint",
        selection: "(dst 8.8.4.4/32 or dst 10.0.0.0/8 or host some.de)",
        ..SECOND
    }
);
means!(ports_alone_select_either_end, "2x_selection_portranges.yml", Meant { selection: PORTS, ..SECOND });
means!(
    the_documented_form_of_1_0_selects,
    "1.0_stack_peers.yml",
    Meant { selection: &format!("{PORTS} and (dst 8.8.4.4/32 or host some.de) and {PROCESS}"), ..SECOND }
);
means!(
    the_form_that_1_0_read_selects,
    "1.0_stack_nodes.yml",
    Meant { selection: &format!("{PORTS} and (dst 8.8.4.4/32 or host some.de) and {PROCESS}"), ..SECOND }
);
means!(
    the_form_of_1_1_0_selects,
    "1.1.0_peering_nodes.yml",
    Meant {
        selection: &format!("{PORTS} and (dst 8.8.4.4/32 or dst 10.0.0.0/8 or host some.de) and {PROCESS}"),
        ..SECOND
    }
);
means!(
    the_form_of_1_1_1_selects,
    "1.1.1_peering.yml",
    Meant {
        selection: &format!("{PORTS} and (dst 8.8.4.4/32 or dst 10.0.0.0/8 or host some.de) and {PROCESS}"),
        ..SECOND
    }
);
means!(
    the_oldest_form_knew_no_counters,
    "oldest_cnfg.yml",
    Meant { label: "raw_endpoint", flow: "tcp_rtt tcp_cwnd", ..SECOND }
);
means!(
    the_oldest_form_selects,
    "oldest_cnfg_selection.yml",
    Meant {
        flow: "tcp_rtt",
        totals: "",
        selection: &format!("{PORTS} and (dst 8.8.4.4/32 or host some.de) and {PROCESS}"),
        ..SECOND
    }
);
means!(
    groups_without_metrics_show_all_of_theirs,
    "3x_minimal.yml",
    Meant { totals: &format!("{THIRD_HISTOGRAM} tcp_flows_total"), ..THIRD }
);
means!(
    what_is_inactive_is_not_shown,
    "3x_minimal_disabled.yml",
    Meant { flow: "", totals: "tcp_flows_total", ..THIRD }
);
means!(
    a_partial_file_shows_its_part,
    "3x_partial.yml",
    Meant {
        flow: "tcp_rtt",
        totals: "tcp_rtt_hist_ms[0.1 0.5 1 5 10 50 100 200] tcp_flows_total",
        selection: "(sport 80-443 or dport 80-443) and (cmd nginx or cmd apache2 or cmd httpd)",
        ..THIRD
    }
);
means!(
    the_full_file_of_3x_shows_and_selects,
    "3x_new_config.yml",
    Meant { totals: &format!("{THIRD_HISTOGRAM} tcp_flows_total"), selection: THIRD_SELECTION, ..THIRD }
);
means!(
    the_complete_reference_of_3x_is_all_off,
    "3x_complete.yml",
    Meant { flow: "", totals: "tcp_flows_total", ..THIRD }
);
means!(
    the_file_that_3x_created_has_no_histogram,
    "3x_created.yml",
    Meant { totals: "tcp_flows_total", selection: THIRD_SELECTION, ..THIRD }
);
means!(
    the_minimal_file_of_the_readme_has_no_spelling_of_3x,
    "readme_minimal.yml",
    Meant { label: "raw_endpoint", flow: "tcp_rtt tcp_data_segs_in tcp_data_segs_out", totals: "", ..SECOND }
);
means!(
    a_web_server_is_watched,
    "readme_web_server.yml",
    Meant {
        totals: "tcp_rtt_hist_ms[0.1 0.5 1 5 10 50 100 200] tcp_flows_total",
        selection: "(sport 80-443 or dport 80-443) and (cmd nginx or cmd apache2 or cmd httpd)",
        ..THIRD
    }
);
means!(
    a_database_is_watched,
    "readme_database.yml",
    Meant {
        flow: "tcp_rtt tcp_delivery_rate",
        totals: "tcp_rtt_hist_ms[0.5 1 2 5 10 25 50 100] tcp_flows_total",
        selection: "(sport 3306-3306 or dport 3306-3306 or sport 5432-5432 or dport 5432-5432 \
             or sport 27017-27017 or dport 27017-27017) \
             and (cmd postgres or cmd mysqld or cmd mongod or cmd oracle)",
        ..THIRD
    }
);
means!(
    microservices_are_watched,
    "readme_microservices.yml",
    Meant {
        label: "raw_endpoint",
        flow: "tcp_rtt",
        totals: "tcp_rtt_hist_ms[0.01 0.05 0.1 0.5 1 5 10]",
        selection: "(sport 8000-9999 or dport 8000-9999 or sport 3000-3999 or dport 3000-3999) \
             and (dst 10.0.0.0/8 or dst 192.168.0.0/16 or dst 172.16.0.0/12)",
        ..SECOND
    }
);
means!(
    an_edge_is_watched_without_its_inside,
    "readme_edge.yml",
    Meant {
        label: "raw_endpoint",
        flow: "tcp_rtt",
        totals: "tcp_rtt_hist_ms[1 5 10 25 50 100 250]",
        selection: "(sport 80-443 or dport 80-443 or sport 8080-8080 or dport 8080-8080) \
             and not (dst 10.0.0.0/8 or dst 192.168.0.0/16 or dst 172.16.0.0/12)",
        ..SECOND
    }
);
means!(
    development_is_watched,
    "readme_development.yml",
    Meant {
        label: "raw_endpoint",
        flow: "tcp_rtt",
        totals: "",
        selection: "(sport 3000-9000 or dport 3000-9000) and (cmd node or cmd python or cmd java or cmd go)",
        ..SECOND
    }
);
means!(
    many_flows_are_watched,
    "readme_high_cardinality.yml",
    Meant {
        flow: "tcp_rtt",
        totals: "tcp_rtt_hist_ms[1 5 10 50 100 500] tcp_flows_total",
        selection: "(dst 10.0.0.0/8 or dst 192.168.0.0/16)",
        ..THIRD
    }
);
