//! Keywords that newer versions refuse: rule `refused-at-load`.
//!
//! In: lines. Out: findings.

use super::super::tree::LineRef;
use super::Lowering;

impl Lowering {
    /// Keywords that were removed, with the first version that refuses them.
    pub(super) fn removed_keyword(&mut self, line: LineRef<'_>) {
        let option = line.word(0) == "option";
        let keyword = line.word(usize::from(option));
        let found = if option {
            removed_option(keyword)
        } else {
            removed(keyword)
        };
        let Some((since, instead)) = found else {
            return;
        };
        let span = line.span_between(0, usize::from(option));
        let keyword = if option { "option " } else { "" }.to_owned() + keyword;
        let message = format!("`{keyword}` was removed: HAProxy {since} and newer refuse the file");
        self.refused(span, message, instead);
    }
}

/// Since when a keyword is refused, and what to write instead. Seen with `haproxy -c`.
fn removed(keyword: &str) -> Option<(&'static str, &'static str)> {
    let http_request = "use `http-request` rules instead";
    let http_response = "use `http-response` rules instead";
    Some(match keyword {
        "reqadd" | "reqallow" | "reqdel" | "reqdeny" | "reqiallow" | "reqidel" | "reqideny"
        | "reqipass" | "reqirep" | "reqitarpit" | "reqpass" | "reqrep" | "reqtarpit" => {
            ("2.1", http_request)
        }
        "rspadd" | "rspdel" | "rspdeny" | "rspidel" | "rspideny" | "rspirep" | "rsprep" => {
            ("2.1", http_response)
        }
        "cliexp" => ("2.1", http_request),
        "srvexp" => ("2.1", http_response),
        "appsession" => ("1.6", "use `cookie` or `stick on` instead"),
        "monitor-net" => ("2.6", "use `http-request return` with a condition on `src`"),
        "grace" => ("2.5", "remove the line"),
        "block" => ("2.1", "use `http-request deny` instead"),
        "clitimeout" => ("2.1", "use `timeout client` instead"),
        "contimeout" => ("2.1", "use `timeout connect` instead"),
        "srvtimeout" => ("2.1", "use `timeout server` instead"),
        "redispatch" => ("2.1", "use `option redispatch` instead"),
        "nbproc" => ("2.5", "remove the line: threads do the work"),
        _ => return None,
    })
}

fn removed_option(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "forceclose" => ("2.0", "remove the line, or use `option httpclose`"),
        "http-tunnel" => ("2.1", "remove the line"),
        "http_proxy" => ("2.5", "use `http-request do-resolve` and `set-dst` instead"),
        _ => return None,
    })
}
