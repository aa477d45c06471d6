# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_prometheus_ss_exporter_global_optspecs
    string join \n p/port= web.listen-address= web.systemd-socket web.telemetry-path= web.max-requests= web.disable-exporter-metrics web.enable-lifecycle web.enable-sockets-api web.config.file= c/config= no-legacy config.check create-config= once interval= healthcheck log-level= log.format= v/version h/help
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

complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s p -l port -d 'Port to listen on, on all IPv4 and IPv6 addresses [env: PORT]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.listen-address -d 'Address to listen on in place of --port, such as 127.0.0.1:8020 or :8020; IPv6 in brackets, a link-local address with % and its interface; may be repeated' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.telemetry-path -d 'HTTP path of the metrics' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.max-requests -d 'Max scrapes that wait for a collection at the same time, 0 for no limit; further ones get status 503' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.config.file -d 'File with TLS, passwords, headers and a rate limit, in the format of exporter-toolkit; see docs/guides/tls.md' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s c -l config -l cnfg -l config.file -d 'Configuration file; without it, the built-in default is active [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l create-config -d 'Write the built-in default, with comments, to a new file, or to standard output for -, and exit' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l interval -d 'With --once, collect again after so many seconds, so that there are counters and histograms of what happened meanwhile; those of connections that closed are left out' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l log-level -l log.level -d 'Minimum level to log: debug, info, warn or error; any other word means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l log.format -d 'Format of the log; with json, errors that end the program are JSON as well' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.systemd-socket -d 'Listen on the sockets of a systemd socket unit, in place of --port and --web.listen-address'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.disable-exporter-metrics -d 'Leave out the standard metrics of the exporter\'s process (process_*)'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.enable-lifecycle -d 'Reload the configuration on POST /-/reload, as on SIGHUP'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l web.enable-sockets-api -d 'Open the live page / and /api/v1/sockets to every client that may read the metrics, not only to this host'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l no-legacy -d 'Leave the predecessor\'s metrics (tcp_*) out of the built-in default; in a file, write `legacy: false`'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l config.check -l check-config -d 'Check the configuration, print all its errors or the maximum number of series, and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l once -d 'Collect once, print the metrics and exit; counters and histograms of aggregated views need two collections and are left out'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -l healthcheck -d 'Ask the exporter that runs with the same flags whether it is healthy, and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s v -l version -d 'Print the version and exit'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -f -a "estimate" -d 'Measure this host and print how many series and bytes the configuration produces, and how many new rows per hour'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -f -a "sockets" -d 'List the sockets of this host, as ss -tinp does, or as ss does with other flags'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_needs_command" -f -a "top" -d 'Watch sockets on the whole terminal: rates, round-trip times and what limits each connection'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l seconds -d 'Seconds for which to count connections that open and close' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l max-series -d 'Exit with code 3 if a scrape has more series' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l protocol -d 'Only views of these protocols, separated by commas, such as udp,unix' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -s c -l config -l cnfg -l config.file -d 'Configuration file; without it, the built-in default is active [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l log-level -l log.level -d 'Minimum level to log: debug, info, warn or error; any other word means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l log.format -d 'Format of the log; with json, errors that end the program are JSON as well' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l json -d 'Print JSON'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -l no-legacy -d 'Leave the predecessor\'s metrics (tcp_*) out of the built-in default; in a file, write `legacy: false`'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand estimate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s A -l query -l socket -d 'Sockets of these protocols, separated by commas: tcp, mptcp, udp, udplite, raw, sctp, unix, packet, netlink, vsock, xdp, tipc, smc' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l columns -d 'Columns to print, separated by commas: names of labels and metrics, `local`, `remote`, `recv_q`, `send_q`, `fill`, `drops`, `netid`' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l sort -d 'Sort by this column, with - in front the greatest first' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l limit -d 'Print at most this number of lines' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l group-by -d 'Print one line for all sockets with the same value of this label, such as process or user' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l watch -d 'Print again every so many seconds, until it is interrupted' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s c -l config -l cnfg -l config.file -d 'Configuration file; without it, the built-in default is active [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l log-level -l log.level -d 'Minimum level to log: debug, info, warn or error; any other word means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l log.format -d 'Format of the log; with json, errors that end the program are JSON as well' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s t -l tcp -d 'TCP sockets, the default'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s u -l udp -d 'UDP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s x -l unix -d 'Unix sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s w -l raw -d 'Raw sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s 0 -l packet -d 'Packet sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s M -l mptcp -d 'MPTCP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s S -l sctp -d 'SCTP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l vsock -d 'Vsock sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l xdp -d 'XDP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l tipc -d 'TIPC sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s a -l all -d 'Include listeners and the states that ss leaves out'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s l -l listening -d 'Only listeners, and sockets that receive without a connection'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s 4 -l ipv4 -d 'Only sockets with IPv4 addresses'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s 6 -l ipv6 -d 'Only sockets with IPv6 addresses'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l human -d 'Print numbers in thousands (k), millions (M) and billions (G)'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s H -l no-header -d 'Leave out the line of titles'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s e -l extended -d 'Add the user, the inode, the cookie and the cgroup'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s m -l memory -d 'Add the memory of the socket, as skmem of ss'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s o -l options -d 'Add the timer that runs'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l json -d 'Print JSON, with all labels and metrics of each socket'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s n -l numeric -d 'As in ss; addresses and ports are always numbers'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s p -l processes -d 'As in ss; processes are always shown'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s i -l info -d 'As in ss; the figures of connections are always shown'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s O -l oneline -d 'As in ss; a socket is always one line'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -l no-legacy -d 'Leave the predecessor\'s metrics (tcp_*) out of the built-in default; in a file, write `legacy: false`'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand sockets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s A -l query -l socket -d 'Sockets of these protocols, separated by commas: tcp, mptcp, udp, udplite, raw, sctp, unix, packet, netlink, vsock, xdp, tipc, smc' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l interval -d 'Seconds between two samples' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l url -d 'Show the sockets of a running exporter, such as `http://web1:8020`, in place of those of this host; the URL or ~/.netrc may have a user and a password' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l ca-file -d 'File with the authorities to trust for an https URL, in place of those of the system' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s c -l config -l cnfg -l config.file -d 'Configuration file; without it, the built-in default is active [env: CONFIG_FILE]' -r -F
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l log-level -l log.level -d 'Minimum level to log: debug, info, warn or error; any other word means info [env: LOG_LEVEL]' -r
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l log.format -d 'Format of the log; with json, errors that end the program are JSON as well' -r -f -a "logfmt\t'Pairs of key and value'
json\t'A JSON object a line'"
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s t -l tcp -d 'TCP sockets, the default'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s u -l udp -d 'UDP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s x -l unix -d 'Unix sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s w -l raw -d 'Raw sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s 0 -l packet -d 'Packet sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s M -l mptcp -d 'MPTCP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s S -l sctp -d 'SCTP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l vsock -d 'Vsock sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l xdp -d 'XDP sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l tipc -d 'TIPC sockets'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l insecure -d 'Trust any certificate for an https URL'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -l no-legacy -d 'Leave the predecessor\'s metrics (tcp_*) out of the built-in default; in a file, write `legacy: false`'
complete -c prometheus_ss_exporter -n "__fish_prometheus_ss_exporter_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
