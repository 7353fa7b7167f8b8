//! Configurations of any size for measuring: the same size gives the same bytes.
//!
//! In: a number of servers. Out: the text of one HAProxy or nginx file with the mix that real ones have:
//! comments, blank lines, routing by host and path, several algorithms, weights, checks and backups.

use std::fmt::Write as _;

/// Makes a file with this many servers.
pub(crate) type Generator = fn(usize) -> String;

/// Both engines.
pub(crate) const ENGINES: [(&str, Generator); 2] = [("haproxy", haproxy), ("nginx", nginx)];

/// Servers of one backend.
const POOL: usize = 20;
/// Backends that one frontend routes to.
const ROUTES: usize = 50;

const ALGORITHMS: [(&str, &str); 4] = [
    ("roundrobin", ""),
    ("leastconn", "least_conn;"),
    ("source", "ip_hash;"),
    ("uri", "hash $request_uri consistent;"),
];

/// Numbers that look random and are always the same (a 64-bit linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_in(&mut self, limit: u64) -> bool {
        self.below(limit) == 0
    }
}

/// An HAProxy file with `servers` servers.
fn haproxy(servers: usize) -> String {
    let mut numbers = Numbers(1);
    let pools = servers.div_ceil(POOL);
    let mut text = String::from(
        "# Generated for measuring.\nglobal\n    maxconn 50000\n    log stdout format raw local0\n\n\
         defaults\n    mode http\n    log global\n    option httplog\n    option redispatch\n    retries 3\n    \
         timeout connect 3s\n    timeout client 30s\n    timeout server 30s\n    timeout http-request 10s\n",
    );
    for frontend in 0..pools.div_ceil(ROUTES) {
        let routes = frontend * ROUTES..((frontend + 1) * ROUTES).min(pools);
        let _ = write!(
            text,
            "\nfrontend edge-{frontend}\n    bind :{}\n    maxconn 8000\n    \
             http-request set-header X-Edge \"edge {frontend}\"\n",
            10_000 + frontend
        );
        for pool in routes.clone() {
            let _ = writeln!(
                text,
                "    acl host-{pool} hdr(host) -i app-{pool}.example.com app-{pool}.internal.example"
            );
        }
        for pool in routes.clone() {
            let _ = writeln!(text, "    use_backend app-{pool} if host-{pool}");
        }
        let _ = writeln!(text, "    default_backend app-{}", routes.start);
    }
    for pool in 0..pools {
        let in_pool = POOL.min(servers - pool * POOL);
        haproxy_backend(&mut text, &mut numbers, pool, in_pool);
    }
    text
}

fn haproxy_backend(text: &mut String, numbers: &mut Numbers, pool: usize, servers: usize) {
    let (algorithm, _) = ALGORITHMS[pool % ALGORITHMS.len()];
    if numbers.one_in(3) {
        let _ = write!(text, "\n# owned by team {}, see the runbook\n", pool % 17);
    }
    let _ = write!(
        text,
        "\nbackend app-{pool}\n    balance {algorithm}\n    option httpchk GET /health\n    \
         http-check expect status 200\n    \
         http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}\n    \
         default-server inter 3s fall 3 rise 2\n"
    );
    for server in 0..servers {
        let _ = write!(
            text,
            "    server app-{pool}-{server} {}:8080 check weight {}",
            address(pool, server),
            weight(numbers)
        );
        if numbers.one_in(4) {
            let _ = write!(text, " maxconn {}", 100 + numbers.below(4) * 50);
        }
        if server > 1 && numbers.one_in(20) {
            text.push_str(" backup");
        }
        if numbers.one_in(30) {
            text.push_str(" # slower disk");
        }
        text.push('\n');
    }
}

/// An nginx file with `servers` servers.
fn nginx(servers: usize) -> String {
    let mut numbers = Numbers(2);
    let pools = servers.div_ceil(POOL);
    let mut text = String::from(
        "# Generated for measuring.\nworker_processes auto;\nevents { worker_connections 8192; }\nhttp {\n    \
         server_names_hash_max_size 65536;\n    proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    proxy_connect_timeout 3s;\n    \
         proxy_next_upstream error timeout http_502 http_503;\n",
    );
    for pool in 0..pools {
        let in_pool = POOL.min(servers - pool * POOL);
        nginx_upstream(&mut text, &mut numbers, pool, in_pool);
    }
    for pool in 0..pools {
        let _ = write!(
            text,
            "\n    server {{\n        listen 8080;\n        server_name app-{pool}.example.com \
             app-{pool}.internal.example;\n\n        location / {{\n            \
             proxy_set_header X-Request \"$request_id from $remote_addr\";\n            \
             proxy_pass http://app-{pool};\n        }}\n    }}\n"
        );
    }
    text.push_str("}\n");
    text
}

fn nginx_upstream(text: &mut String, numbers: &mut Numbers, pool: usize, servers: usize) {
    let (_, method) = ALGORITHMS[pool % ALGORITHMS.len()];
    if numbers.one_in(3) {
        let _ = writeln!(text, "\n    # owned by team {}, see the runbook", pool % 17);
    }
    let _ = write!(
        text,
        "\n    upstream app-{pool} {{\n        zone app-{pool} 64k;\n"
    );
    if !method.is_empty() {
        let _ = writeln!(text, "        {method}");
    }
    // nginx makes 160 points of a ring for each unit of weight: there 10 is much, as 100 is in HAProxy.
    let unit = if method.ends_with("consistent;") {
        10
    } else {
        1
    };
    for server in 0..servers {
        let _ = write!(
            text,
            "        server {}:8080 weight={} max_fails=3 fail_timeout=10s",
            address(pool, server),
            weight(numbers) / unit
        );
        if method.is_empty() && server > 1 && numbers.one_in(20) {
            text.push_str(" backup");
        }
        text.push_str(";\n");
    }
    text.push_str("        keepalive 32;\n    }\n");
}

fn weight(numbers: &mut Numbers) -> u64 {
    if numbers.one_in(40) { 50 } else { 100 }
}

fn address(pool: usize, server: usize) -> String {
    let n = pool * POOL + server;
    format!("10.{}.{}.{}", n / 62_500 + 1, n / 250 % 250, n % 250 + 1)
}
