//! What the nginx loader makes of small configurations: the model, and the findings of a broken file.

mod nginx_support;

use nginx_support::load_text;

/// Each text with the lines of its model that matter.
fn assert_model(text: &str, expected: &[&str]) {
    let model = load_text(text).model();
    for line in expected {
        assert!(
            model.lines().any(|own| own.trim() == *line),
            "no line\n{line}\nin the model of\n{text}\n{model}"
        );
    }
}

#[test]
fn parameters_of_servers_are_read() {
    assert_model(
        "upstream a {\n least_conn;\n zone z 64k;\n keepalive 8;\n server 10.0.0.1 weight=5 max_fails=0 fail_timeout=1m;\n server [::1]:81 backup;\n server unix:/run/a down;\n server app:82 max_conns=3 resolve service=http route=x;\n}",
        &[
            "fragment=true workers=Count(1)",
            "backend a Http declared=true LeastConn(explicit nginx.conf:2:2)",
            "zone \"z\"(explicit nginx.conf:3:2)",
            "keepalive 8(explicit nginx.conf:4:2)",
            "server 10.0.0.1 Ipv4 10.0.0.1 Default(80) weight=5(explicit nginx.conf:5:18) max_fails=0(explicit nginx.conf:5:27) fail_timeout=60s(explicit nginx.conf:5:39)",
            "server [::1]:81 Ipv6 ::1 Fixed(81) backup=true(explicit nginx.conf:6:18)",
            "server unix:/run/a Unix /run/a None down=true(explicit nginx.conf:7:21)",
            "server app:82 Name app Fixed(82) max_conns=Some(3)(explicit nginx.conf:8:16) resolve=resolve service=http other:route=x",
        ],
    );
}

#[test]
fn methods_are_told_apart() {
    for (method, expected) in [
        ("", "RoundRobin"),
        ("ip_hash;", "IpHash(explicit nginx.conf:1:14)"),
        ("random;", "Random { draws: 1 }(explicit nginx.conf:1:14)"),
        (
            "random two least_conn;",
            "Random { draws: 2 }(explicit nginx.conf:1:14)",
        ),
        (
            "hash $uri;",
            "Hash(Variables(\"$uri\"))(explicit nginx.conf:1:14)",
        ),
        (
            "hash \"$a b\" consistent;",
            "Hash(Variables(\"$a b\"))(explicit nginx.conf:1:14)",
        ),
        ("least_time header;", "LeastTime(explicit nginx.conf:1:14)"),
        ("fair;", "Other(\"fair\")(explicit nginx.conf:1:14)"),
        (
            "ip_hash; least_conn;",
            "LeastConn(explicit nginx.conf:1:23)",
        ),
        (
            "balancer_by_lua_block { if a then return '}' end }",
            "Other(\"balancer_by_lua_block\")(explicit nginx.conf:1:14)",
        ),
    ] {
        assert_model(
            &format!("upstream a {{ {method} server 10.0.0.1; }}"),
            &[&format!("backend a Http declared=true {expected}")],
        );
    }
    assert_model(
        "upstream a { hash $uri consistent; server b; }",
        &["Ketama"],
    );
}

#[test]
fn passes_become_routes() {
    assert_model(
        "upstream Auth { server 10.0.0.1; }\nserver {\n listen 80;\n server_name _ login.example;\n location / { proxy_pass http://auth/x; }\n location = /a { proxy_pass https://10.0.0.9; }\n location ~* \\.php$ { fastcgi_pass unix:/run/php; }\n location @n { grpc_pass grpcs://[::1]:50; }\n location /v { set $p x; proxy_pass http://$p; }\n location ^~/w { if ($a = b) { proxy_pass http://AUTH$request_uri; } }\n location /o { location /o/p { proxy_pass http://10.0.0.9/q; } }\n}",
        &[
            "listener login.example Http [\"_\", \"login.example\"]",
            "route Some(0) Path(Prefix(\"/\")) -> Auth #0",
            "route Some(0) Path(Exact(\"/a\")) -> 10.0.0.9 #1",
            "route Some(0) Path(Regex(\"(?i)\\\\.php$\")) -> unix:/run/php #2",
            "route Some(0) Path(Named(\"@n\")) -> [::1]:50 #3",
            "route Some(0) Path(Prefix(\"/v\")) -> Dynamic(\"http://$p\")",
            "route Some(0) Opaque(\"if ($a = b)\") -> Auth #0",
            "route Some(0) Path(Prefix(\"/o/p\")) -> 10.0.0.9 #4",
            "backend 10.0.0.9 Http declared=false RoundRobin",
            "server 10.0.0.9 Ipv4 10.0.0.9 Default(443) tls",
            "server 10.0.0.9 Ipv4 10.0.0.9 Default(80)",
            "server [::1]:50 Ipv6 ::1 Fixed(50) tls",
        ],
    );
}

#[test]
fn variables_in_a_destination_hide_it_only_where_they_are_in_the_host() {
    for (destination, expected) in [
        ("http://a/$1", "a #0"),
        ("http://a$request_uri", "a #0"),
        ("http://a$uri$is_args$args", "a #0"),
        ("http://127.0.0.1:8080$request_uri", "127.0.0.1:8080 #1"),
        (
            "http://a:81$request_uri",
            "Dynamic(\"http://a:81$request_uri\")",
        ),
        (
            "http://app$request_uri",
            "Dynamic(\"http://app$request_uri\")",
        ),
        ("http://$host", "Dynamic(\"http://$host\")"),
        ("http://a$x", "Dynamic(\"http://a$x\")"),
        ("$scheme://a", "a #0"),
        ("$scheme://127.0.0.1:8080", "127.0.0.1:8080 #1"),
    ] {
        assert_model(
            &format!(
                "upstream a {{ server b; }}\nserver {{ location / {{ proxy_pass {destination}; }} }}"
            ),
            &[&format!("route Some(0) Path(Prefix(\"/\")) -> {expected}")],
        );
    }
}

#[test]
fn settings_come_from_the_nearest_scope_that_has_them() {
    assert_model(
        "http {\n proxy_next_upstream error http_502;\n proxy_connect_timeout 3s;\n server {\n  proxy_next_upstream_tries 2;\n  location /a { proxy_pass http://10.0.0.1; }\n  location /b { proxy_next_upstream off; proxy_pass http://10.0.0.2; }\n  location /c { proxy_connect_timeout 500ms; if ($x) { proxy_pass http://10.0.0.3; } }\n  location /d { grpc_next_upstream_timeout 5; grpc_pass 10.0.0.4:1; }\n }\n}\nevents {}",
        &[
            "fragment=false workers=Count(1)",
            "next upstream [\"error\", \"http_502\"](outer-scope nginx.conf:2:2)",
            "next upstream [\"off\"](explicit nginx.conf:7:17)",
            "tries 2(outer-scope nginx.conf:5:3)",
            "connect timeout 3s(outer-scope nginx.conf:3:2)",
            "connect timeout 500ms(outer-scope nginx.conf:8:17)",
            "for 5s(explicit nginx.conf:9:17)",
        ],
    );
}

#[test]
fn sockets_of_servers_are_read() {
    assert_model(
        "http {\n server { }\n server { listen 127.0.0.1; listen [::]:443 ssl default_server proxy_protocol; }\n server { listen unix:/run/x; server_name \"\"; set_real_ip_from 10.0.0.0/8; }\n real_ip_header X-Forwarded-For;\n server { listen 8080; }\n}",
        &[
            "listener *:80 Http []",
            "Any * Default(80)",
            "Ipv4 127.0.0.1 Default(80)",
            "Any :: Fixed(443) tls proxy_protocol default_server",
            "listener unix:/run/x Http [\"\"]",
            "restored by real_ip_header X-Forwarded-For",
        ],
    );
    let text = "server { real_ip_header X-Real-IP; listen 8080; }";
    assert!(
        !load_text(text).model().contains("restored"),
        "no address is trusted"
    );
}

#[test]
fn streams_have_connections_or_datagrams() {
    assert_model(
        "stream {\n upstream dns { server 10.0.0.1:53; }\n upstream db { server 10.0.0.2:1; }\n server { listen 53 udp; proxy_pass dns; }\n server { listen 54 udp; proxy_pass dns; proxy_next_upstream off; }\n server { listen 1; proxy_pass db; }\n server { listen 1 udp; proxy_pass db; }\n server { listen 2; proxy_pass 10.0.0.3:3; }\n}",
        &[
            "listener 53 Udp []",
            "backend dns Udp declared=true RoundRobin",
            "backend db Tcp declared=true RoundRobin",
            "backend 10.0.0.3:3 Tcp declared=false RoundRobin",
            "next upstream [\"off\"](explicit nginx.conf:5:42)",
        ],
    );
}

#[test]
fn a_stream_destination_has_no_path() {
    assert_model(
        "stream { upstream a { server b:1; }\n server { listen 1; proxy_pass http://$a; } }",
        &["route Some(0) Always -> Dynamic(\"http://$a\")"],
    );
}

#[test]
fn a_fragment_says_what_it_is_of() {
    assert_model(
        "server { listen 1; proxy_pass 10.0.0.3:3; }",
        &["fragment=true workers=Count(1)", "listener 1 Tcp []"],
    );
    assert_model(
        "location / { proxy_pass http://10.0.0.3:3; }\nproxy_connect_timeout 1;",
        &[
            "route None Path(Prefix(\"/\")) -> 10.0.0.3:3 #0",
            "connect timeout 1s(outer-scope nginx.conf:2:1)",
        ],
    );
}

#[test]
fn comments_belong_to_what_they_stand_at() {
    assert_model(
        "# pool\n# of two\nupstream a {\n # first\n server 10.0.0.1; # one\n server 10.0.0.2; server 10.0.0.3; # three\n\n # far\n\n server 10.0.0.4;\n # above\r\n # all\r\n server 10.0.0.5;\n server 10.0.0.6 # inner\n  weight=2;\n} # end",
        &[
            "server 10.0.0.1 Ipv4 10.0.0.1 Default(80) \"# one\"",
            "server 10.0.0.2 Ipv4 10.0.0.2 Default(80)",
            "server 10.0.0.3 Ipv4 10.0.0.3 Default(80) \"# three\"",
            "server 10.0.0.4 Ipv4 10.0.0.4 Default(80)",
            "server 10.0.0.5 Ipv4 10.0.0.5 Default(80) \"# above\\r\\n # all\"",
            "server 10.0.0.6 Ipv4 10.0.0.6 Default(80) weight=2(explicit nginx.conf:15:3) \"# inner\"",
            "comment \"# pool\\n# of two\"",
            "comment \"# first\"",
            "comment \"# end\"",
        ],
    );
}

#[test]
fn splits_are_kept_where_a_route_depends_on_them() {
    assert_model(
        "map $cookie_a $pool { default $half; b old; include x*; }\nsplit_clients $remote_addr$arg_x $half { 12.5% new; * \"\"; }\nmap $uri $unused { a b; }\ngeo $near { default far; 10.0.0.0/8 here; }\nmap $near $last { here pool_near; }\nserver {\n location / { set $t $pool; if ($half = \"\") { return 503; } proxy_pass http://$t; }\n location /n { proxy_pass http://${last}; }\n}",
        &[
            "Map $cookie_a $pool used_by=Some(0) empty_handled=false",
            "default \"$half\" None",
            "SplitClients $remote_addr$arg_x $half used_by=Some(0) empty_handled=true",
            "12.5% \"new\" Some(1250)",
            "* \"\" None",
            "Map $uri $unused used_by=None empty_handled=false",
            "Geo $remote_addr $near used_by=Some(1) empty_handled=true",
            "10.0.0.0/8 \"here\" None",
            "Map $near $last used_by=Some(1) empty_handled=false",
        ],
    );
    assert!(
        !load_text("map $uri $unused { a b; }")
            .model()
            .contains("a \"b\"")
    );
}

#[test]
fn reading_x_forwarded_for_is_seen_where_it_is_no_log() {
    let model = load_text(
        "log_format m '$http_x_forwarded_for';\nmap $http_x_forwarded_for $a { default 1; }\n# $http_x_forwarded_for\nproxy_set_header X \"${HTTP_X_Forwarded_For}\";\nproxy_set_header Y $proxy_add_x_forwarded_for;\nresolver 10.0.0.1 valid=5s;\nupstream a { server b; }",
    )
    .model();
    let reads = model.lines().filter(|line| line.starts_with("reads"));
    assert_eq!(
        reads.collect::<Vec<_>>(),
        [
            "reads x-forwarded-for $http_x_forwarded_for",
            "reads x-forwarded-for \"${HTTP_X_Forwarded_For}\"",
        ]
    );
    assert!(model.contains("\nresolver 10.0.0.1 valid=5s\n"));
}

#[test]
fn active_checks_of_modules_count() {
    assert_model(
        "http { upstream a { check interval=3000; server b; } upstream c { zone c 64k; server d; }\n server { location / { proxy_pass http://c; health_check; } } }",
        &[
            "server b Name b Default(80) check=true(explicit nginx.conf:1:21)",
            "server d Name d Default(80) check=true(outer-scope nginx.conf:2:45)",
        ],
    );
}
