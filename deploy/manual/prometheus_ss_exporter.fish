# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_prometheus_ss_exporter_global_optspecs
    string join \n p/port= web.listen-address= web.systemd-socket web.telemetry-path= web.max-requests= web.disable-exporter-metrics web.enable-lifecycle web.enable-sockets-api web.config.file= c/config= config.check create-config= once healthcheck log-level= log.format= v/version h/help
end

function __fish_prometheus_ss_exporter_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_prometheus_ss_exporter_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_prometheus_ss_exporter_using_subcommand
    set -l cmd (__fish_prometheus_ss_exporter_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s p -l port -d 'Port to listen on, on every address, IPv4 and IPv6, if no address is given [env: PORT]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.listen-address -d 'Address to listen on in place of --port, e.g. 127.0.0.1:8020 or :8020, IPv6 in brackets, a link-local address with % and its interface; may be repeated' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.max-requests -d 'Scrapes that may wait for a collection at once, 0 for any number; others are answered with 503' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.config.file -d 'Who may come in and how: TLS, passwords, headers, rate; docs/guides/tls.md has the format' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s c -l config -l cnfg -l config.file -d 'Configuration file; without one the built-in default applies [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l create-config -d 'Write the built-in default configuration, with comments, to a file that does not exist yet, or to standard output for -, and exit' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l log-level -l log.level -d 'Least severe level that is logged: debug, info, warn or error; anything else means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l log.format -d 'Format of the log' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.systemd-socket -d 'Listen on the sockets that systemd hands over, in place of any address'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.disable-exporter-metrics -d 'Leave out the metrics of the exporter\'s own process (process_*)'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.enable-lifecycle -d 'Read the configuration again on POST /-/reload, as on SIGHUP'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.enable-sockets-api -d 'Show the sockets themselves, at / and /api/v1/sockets, to all who may read the metrics, and not to this host alone'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l config.check -l check-config -d 'Check the configuration, print what is wrong with it, and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l once -d 'Collect once, print the metrics to standard output, and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l healthcheck -d 'Ask the exporter that runs with the same settings whether it is healthy, and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s v -l version -d 'Print the version and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -f -a "estimate" -d 'Measure this host and print what the configuration produces: rows, series, bytes, and what comes new in an hour'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -f -a "sockets" -d 'List the TCP sockets of this host, as ss -tinp does'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l seconds -d 'How long to listen for what opens and closes, in seconds' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -s c -l config -l cnfg -l config.file -d 'Configuration file; without one the built-in default applies [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l log-level -l log.level -d 'Least severe level that is logged: debug, info, warn or error; anything else means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l log.format -d 'Format of the log' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l json -d 'Print JSON'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l columns -d 'Columns to print, separated by commas: labels and metrics by their names, `local`, `remote`, `recv_q`, `send_q`' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s c -l config -l cnfg -l config.file -d 'Configuration file; without one the built-in default applies [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l log-level -l log.level -d 'Least severe level that is logged: debug, info, warn or error; anything else means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l log.format -d 'Format of the log' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s a -l all -d 'Also those that listen, and those in the states that ss leaves out'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s l -l listening -d 'Only those that listen'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l json -d 'Print JSON: all labels and all metrics of each'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s h -l help -d 'Print help (see more with \'--help\')'
