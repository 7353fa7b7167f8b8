//! One mistake in a good configuration gives one finding, which names the place and the object.
//!
//! In: a file for each engine that is clean, and edits of one or two words. Out: exactly the findings
//! that the edit adds, as `severity rule line backend/server`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fs;

use serde_json::Value;
use support::lbaudit_in;

const HAPROXY: &str = "\
defaults
  mode http
  option redispatch 1
  timeout connect 2s
  timeout client 20s
  timeout server 20s
frontend www
  bind :8080
  acl is_api path_beg /api
  use_backend api if is_api
  use_backend bk_%[req.hdr(host),lower] if { hdr_end(host) .example }
  default_backend web
backend web
  balance roundrobin
  option httpchk GET /healthz
  cookie SRV insert indirect nocache
  server web1 10.1.0.1:8080 check inter 2s weight 10 cookie w1
  server web2 10.1.0.2:8080 check inter 2s weight 10 cookie w2
  server web3 10.1.0.3:8080 check inter 2s weight 10 cookie w3
backend api
  balance leastconn
  option httpchk GET /healthz
  default-server check maxconn 200
  server api1 10.2.0.1:8080
  server api2 10.2.0.2:8080
  server api3 10.2.0.3:8080
backend bk_shop.example
  balance roundrobin
  option httpchk GET /healthz
  server shop1 10.3.0.1:8080 check
  server shop2 10.3.0.2:8080 check
  server shop3 10.3.0.3:8080 check backup
";

const NGINX: &str = "\
worker_processes 2;
events {}
stream {
  upstream pg { zone pg 64k; server 10.4.0.1:5432; server 10.4.0.2:5432; }
  map $ssl_preread_server_name $dest { default pg; db.example pg; }
  server { listen 5432; ssl_preread on; proxy_pass $dest; }
  server { listen 5433; proxy_pass pg; }
}
http {
  split_clients $request_id $pool {
    10% canary;
    * web;
  }
  upstream web {
    zone web 64k;
    server 10.1.0.1:8080 max_conns=100;
    server 10.1.0.2:8080 max_conns=100;
    server 10.1.0.3:8080 max_conns=100;
  }
  upstream canary {
    zone canary 64k;
    server 10.2.0.1:8080;
    server 10.2.0.2:8080;
  }
  upstream php {
    zone php 64k;
    server 10.3.0.1:9000;
    server 10.3.0.2:9000;
  }
  server {
    listen 8080;
    location / { proxy_pass http://$pool; }
    location /login { proxy_pass http://web; }
    location /php { fastcgi_pass php; }
  }
}
";

/// What is replaced, by what, and the findings that it adds.
type Mistake<'m> = (&'m str, &'m str, &'m [&'m str]);

const HAPROXY_MISTAKES: &[Mistake<'_>] = &[
    // Weights and states.
    (
        "web2 10.1.0.2:8080 check inter 2s weight 10",
        "web2 10.1.0.2:8080 check inter 2s weight 100",
        &["error unbalanced-weights 18 web/web2"],
    ),
    (
        "web3 10.1.0.3:8080 check inter 2s weight 10",
        "web3 10.1.0.3:8080 check inter 2s",
        &["error mixed-default-weight 19 web/web3"],
    ),
    (
        "api2 10.2.0.2:8080",
        "api2 10.2.0.2:8080 weight 10",
        &["error mixed-default-weight 25 api/api2"],
    ),
    (
        "api2 10.2.0.2:8080",
        "api2 10.2.0.2:8080 disabled",
        &["warning zero-weight-server 25 api/api2"],
    ),
    // Reached only by a name that is made while running.
    (
        "check\n  server shop2 10.3.0.2:8080 check",
        "check weight 0\n  server shop2 10.3.0.2:8080 check weight 0",
        &["error no-usable-server 30 bk_shop.example/"],
    ),
    (
        "check\n  server shop2 10.3.0.2:8080 check",
        "check backup\n  server shop2 10.3.0.2:8080 check backup",
        &["error no-usable-server 30 bk_shop.example/"],
    ),
    // Addresses.
    (
        "api3 10.2.0.3:8080",
        "api3 ipv4@10.2.0.1:8080",
        &["error duplicate-server-address 26 api/api3"],
    ),
    (
        "api1 10.2.0.1:8080",
        "api1 10.2.0.1:808",
        &["warning server-port-outlier 24 api/api1"],
    ),
    (
        "shop3 10.3.0.3:8080",
        "shop3 10.3.0.2:8081",
        &["warning backup-shares-fate 32 bk_shop.example/shop3"],
    ),
    // Checks.
    (
        "web1 10.1.0.1:8080 check inter 2s",
        "web1 10.1.0.1:8080",
        &["error missing-health-check 17 web/web1"],
    ),
    (
        "web2 10.1.0.2:8080 check inter 2s",
        "web2 10.1.0.2:8080 check inter 20s",
        &["warning slow-failure-detection 18 web/web2"],
    ),
    (
        "web2 10.1.0.2:8080 check inter 2s",
        "web2 10.1.0.2:8080 check inter 4s",
        &["warning odd-one-out 18 web/web2"],
    ),
    (
        "api1 10.2.0.1:8080",
        "api1 10.2.0.1:8080 slowstart 30s",
        &["warning odd-one-out 24 api/api1"],
    ),
    (
        "api3 10.2.0.3:8080",
        "api3 10.2.0.3:8080 maxconn 20",
        &["warning odd-one-out 26 api/api3"],
    ),
    (
        "  default-server check maxconn 200\n  server api1 10.2.0.1:8080\n",
        "  server api1 10.2.0.1:8080\n  default-server check maxconn 200\n",
        &["error default-server-too-late 24 api/"],
    ),
    // Routes.
    (
        "default_backend web",
        "default_backend wbe",
        &["error dangling-backend-reference 12 wbe/"],
    ),
    (
        "balance roundrobin\n  option httpchk GET /healthz\n  cookie",
        "balance hash str(x)\n  option httpchk GET /healthz\n  cookie",
        &[
            "warning low-cardinality-hash-key 14 web/",
            "warning redispatch-ineffective 14 web/",
        ],
    ),
    (
        "backend web\n  balance",
        "backend web\n  disabled\n  balance",
        &["error no-usable-server 12 web/"],
    ),
    // What the proxy reads in another way, or not at all.
    (
        "api2 10.2.0.2:8080",
        "api2 10.2.0.2:8080 weight \"$W\"",
        &["warning unset-variable 25 api/api2"],
    ),
    (
        "web2 10.1.0.2:8080",
        "web2 10.1.0.256:8080",
        &["error refused-at-load 18 web/web2"],
    ),
    (
        "web2 10.1.0.2:8080 check",
        "web2 10.1.0.2:8080 chek",
        &["error refused-at-load 18 web/web2"],
    ),
];

const NGINX_MISTAKES: &[Mistake<'_>] = &[
    (
        "10.1.0.2:8080 max_conns=100",
        "10.1.0.2:8080 max_conns=1000",
        &["warning odd-one-out 17 web/10.1.0.2:8080"],
    ),
    (
        "10.1.0.2:8080 max_conns=100",
        "10.1.0.2:8080 max_conns=100 weight=10",
        &["error mixed-default-weight 17 web/10.1.0.2:8080"],
    ),
    // Reached only by the values of a split.
    (
        "    server 10.2.0.1:8080;\n    server 10.2.0.2:8080;",
        "    server 10.2.0.1:8080 down;\n    server 10.2.0.2:8080 down;",
        &["error no-usable-server 22 canary/"],
    ),
    (
        "    server 10.2.0.1:8080;\n",
        "    server 10.2.0.1:8080 down;\n",
        &["error zero-weight-server 22 canary/10.2.0.1:8080"],
    ),
    (
        "    zone canary 64k;",
        "    zone canary 64k; hash $server_port consistent;",
        &["warning low-cardinality-hash-key 21 canary/"],
    ),
    (
        "    listen 8080;",
        "    listen 8080; proxy_next_upstream off;",
        &["warning next-upstream-off 31 /"],
    ),
    (
        "    server 10.2.0.2:8080;",
        "    server [::ffff:10.2.0.1]:8080;",
        &["error duplicate-server-address 23 canary/[::ffff:10.2.0.1]:8080"],
    ),
    (
        "    server 10.2.0.2:8080;",
        "    server 10.2.0.256:8080;",
        &["error refused-at-load 23 canary/10.2.0.256:8080"],
    ),
    // Names that are no upstream.
    (
        "http://web;",
        "http://wbe;",
        &["error dangling-backend-reference 33 wbe/"],
    ),
    (
        "fastcgi_pass php;",
        "fastcgi_pass phpp;",
        &["error dangling-backend-reference 34 phpp/"],
    ),
    (
        "proxy_pass pg;",
        "proxy_pass db;",
        &["error dangling-backend-reference 7 db/"],
    ),
    (
        "upstream php {",
        "upstream phpx {",
        &["error dangling-backend-reference 34 php/"],
    ),
    (
        "default pg;",
        "default gp;",
        &["warning dynamic-backend-unresolved 5 /"],
    ),
    (
        "location / { proxy_pass",
        "location / { set $pool wbe; proxy_pass",
        &["warning dynamic-backend-unresolved 32 /"],
    ),
    (
        "* web;",
        "* wbe;",
        &["warning dynamic-backend-unresolved 12 /"],
    ),
    ("    * web;\n", "", &["error split-not-total 10 /"]),
    (
        "zone php 64k;",
        "zoen php 64k;",
        &[
            "error refused-at-load 26 php/",
            "info upstream-zone-missing 25 php/",
        ],
    ),
    (
        "server 10.3.0.1:9000;",
        "server 10.3.0.1:9000 wieght=2;",
        &["error refused-at-load 27 php/10.3.0.1:9000"],
    ),
];

fn findings(name: &str, text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join(name), text).expect("a file");
    let arguments = ["check", "--no-config", "--format", "json", name];
    let run = lbaudit_in(folder.path(), &arguments, b"");
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let found = report["findings"].as_array().expect("a list").iter();
    found.map(line).collect()
}

fn line(finding: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = &finding["subject"];
    format!(
        "{} {} {} {}/{}",
        word(&finding["severity"]),
        word(&finding["rule"]),
        finding["location"]["start"]["line"],
        word(&subject["backend"]),
        word(&subject["server"]),
    )
}

fn check(name: &str, good: &str, mistakes: &[Mistake<'_>]) {
    let clean = findings(name, good);
    assert!(clean.is_empty(), "{clean:#?}");
    let mut faults = Vec::new();
    for (from, to, wanted) in mistakes {
        assert_eq!(good.matches(from).count(), 1, "`{from}` stands once");
        let mut found = findings(name, &good.replace(from, to));
        found.sort();
        if found != *wanted {
            faults.push(format!("`{to}`: {found:#?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn one_mistake_in_haproxy_is_found_where_it_is() {
    check("haproxy.cfg", HAPROXY, HAPROXY_MISTAKES);
}

#[test]
fn one_mistake_in_nginx_is_found_where_it_is() {
    check("nginx.conf", NGINX, NGINX_MISTAKES);
}
