//! What the HAProxy loader makes of single directives.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, with helpers outside of its functions"
)]

mod haproxy_support;

use haproxy_support::{environment, instance, load, load_with, report};
use lbaudit::engine::{Options, haproxy};
use lbaudit::model::{
    Algorithm, Condition, HashKey, Origin, PathMatch, RandomDraw, Target, Version,
};

#[test]
fn variables_that_are_missing_change_the_model() {
    let text = "backend b\n server a 1.1.1.1:80 \"$X\" weight 100\n server c \"$Y:80\" check\n server d 1.1.1.1:81 weight \"$X\"\n";
    let (sources, loaded) = load_with(&[text], &environment(&[("X", "")]));
    let found = report(&sources, &loaded);
    assert!(found[0].starts_with(
        "error unset-variable 2:22 \"$X\" | `X` is empty: HAProxy 2.6 silently drops `weight 100`"
    ));
    assert!(found[1].starts_with(
        "error unset-variable 3:11 \"$Y:80\" | `Y` is not set: the word becomes `:80`"
    ));
    assert!(found[2].starts_with(
        "error unset-variable 4:29 \"$X\" | `X` is empty: HAProxy 2.6 silently reads `weight` as 0"
    ));
    assert_eq!(found.len(), 3);
    let servers = &loaded.variants[0].backends[0].servers;
    let weights: Vec<u32> = servers.iter().map(|server| server.weight.value).collect();
    assert_eq!(weights, [1, 1, 0]);
    let whole = environment(&[("X", "check"), ("Y", "h")]);
    let (_, loaded) = load_with(&[text], &whole);
    assert!(loaded.findings.is_empty());
    assert_eq!(loaded.variants[0].backends[0].servers[0].weight.value, 100);
}

#[test]
fn unknown_values_are_opaque() {
    let (_, loaded) = load(
        "backend b\n server a \"$HOST:80\" weight \"$W\" check\n server c 1.1.1.1:80 \"$X\" weight 5 check\n server d 1.1.1.1:80 check \"$X\"\n",
    );
    let servers = &loaded.variants[0].backends[0].servers;
    assert!(servers[0].weight.is_opaque() && !servers[0].check.is_opaque());
    assert_eq!(servers[0].address.kind, lbaudit::model::AddressKind::Opaque);
    assert!(servers[1].weight.is_opaque() && servers[1].check.is_opaque());
    assert!(servers[1].backup.is_opaque() && servers[1].disabled.is_opaque());
    // What stands before the variable is certain.
    assert!(!servers[2].check.is_opaque() && servers[2].weight.is_opaque());
}

#[test]
fn undecidable_branches_make_variants() {
    let text = "backend b\n.if defined(X)\n server a 1.1.1.1:80\n.elif defined(Y)\n server c 1.1.1.1:80 weight 300\n.endif\n.if !defined(X)\n server d 1.1.1.1:80\n.endif\n server z 1.1.1.1:80\n";
    let (sources, loaded) = load(text);
    let names: Vec<String> = (loaded.variants.iter())
        .map(|instance| {
            let servers = &instance.backends[0].servers;
            let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
            format!("{} {}", instance.variant, names.join(" "))
        })
        .collect();
    assert_eq!(names, ["0 a d z", "1 c z", "2 z"]);
    assert_eq!(report(&sources, &loaded).len(), 1);
    // A block that changes nothing of the model makes no variants.
    let (_, loaded) = load("global\n.if feature(THREAD)\n thread-groups 1\n.endif\nbackend b\n");
    assert_eq!(loaded.variants.len(), 1);
    let (_, loaded) = load_with(&[text], &environment(&[("Y", "")]));
    assert_eq!(loaded.variants.len(), 1);
    assert_eq!(loaded.variants[0].backends[0].servers.len(), 3);
}

#[test]
fn conditions_of_routes_are_decided_where_they_can_be() {
    let text = "frontend f\n bind :80\n acl api path_beg /api\n acl host1 hdr(Host) -i A.example\n acl host1 req.hdr(host) b.example\n acl canary rand(100) lt 10\n acl two path /a /b\n use_backend b if api\n use_backend b if host1\n use_backend b if canary\n use_backend b if { rand(100) ge 90 }\n use_backend b if { path -m reg ^/x }\n use_backend b if !api\n use_backend b if api canary\n use_backend b if two\n use_backend b_%[path] if TRUE\n use_backend nope if { path_beg -i /X }\n default_backend b\nbackend b\n server a 1.1.1.1:80\n";
    let instance = instance(text);
    let opaque = |text: &str| Condition::Opaque(text.into());
    let draw = |from, below| {
        Condition::Random(RandomDraw {
            range: 100,
            from,
            below,
        })
    };
    let found: Vec<Condition> = (instance.routes.iter())
        .map(|route| route.condition.clone())
        .collect();
    let wanted = [
        Condition::Path(PathMatch::Prefix("/api".into())),
        Condition::Host(vec!["a.example".into(), "b.example".into()]),
        draw(0, 10),
        draw(90, 100),
        Condition::Path(PathMatch::Regex("^/x".into())),
        opaque("if !api"),
        opaque("if api canary"),
        opaque("if two"),
        Condition::Always,
        opaque("if { path_beg -i /X }"),
        Condition::Always,
    ];
    assert_eq!(found, wanted);
    assert_eq!(
        instance.routes[8].target,
        Target::Dynamic("b_%[path]".into())
    );
    assert_eq!(instance.routes[9].target, Target::Undefined("nope".into()));
    assert_eq!(instance.routes[10].target, Target::Backend(0));
}

#[test]
fn a_listen_section_is_both_sides() {
    let it = instance(
        "listen l\n bind :80,:81\n use_backend b if { path /x }\n server a 1.1.1.1:80\nlisten only-front\n bind :82\n default_backend b\nbackend b\n server a 1.1.1.1:80\n",
    );
    let backends: Vec<&str> = it.backends.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(backends, ["l", "b"]);
    let routes: Vec<_> = (it.routes.iter())
        .map(|route| (route.listener, route.target.clone()))
        .collect();
    let wanted = [
        (Some(0), Target::Backend(1)),
        (Some(0), Target::Backend(0)),
        (Some(1), Target::Backend(1)),
    ];
    assert_eq!(routes, wanted);
    assert_eq!(it.listeners[0].binds.len(), 2);
    assert!(!it.fragment);
    assert!(instance("backend b\n server a 1.1.1.1:80\n").fragment);
}

#[test]
fn origins_say_where_a_value_is_written() {
    let text = "defaults\n default-server rise 7\n balance first\nbackend b\n default-server weight 5\n server a 1.1.1.1:80 check\n";
    let (sources, loaded) = load(text);
    let backend = &loaded.variants[0].backends[0];
    let server = &backend.servers[0];
    let origin = |origin: Origin| {
        (
            origin.as_str(),
            origin.span().map(|span| sources.text(span)),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        origin(server.weight.origin),
        ("default-server", some("weight 5"))
    );
    assert_eq!(origin(server.check.origin), ("explicit", some("check")));
    assert_eq!(
        origin(server.options.timing.rise.origin),
        ("defaults", some("rise 7"))
    );
    assert_eq!(
        origin(server.options.timing.fall.origin),
        ("engine-default", None)
    );
    assert_eq!(
        origin(backend.algorithm.origin),
        ("defaults", some("balance first"))
    );
}

#[test]
fn comments_belong_to_what_stands_below_or_beside_them() {
    let text = "# file\n\n# top\nbackend b # head\n # above\n # more\n server a 1.1.1.1:80\n server c 1.1.1.1:81 # beside\n\n # far\n\n server d 1.1.1.1:82\n# next\nbackend e\n";
    let (sources, loaded) = load(text);
    let backends = &loaded.variants[0].backends;
    let texts = |spans: &[lbaudit::source::Span]| -> Vec<String> {
        spans.iter().map(|&span| sources.text(span)).collect()
    };
    let own = ["# top", "# head", "# above", "# more", "# beside", "# far"];
    assert_eq!(texts(&backends[0].comments), own);
    assert_eq!(texts(&backends[1].comments), ["# next"]);
    let comments: Vec<Option<String>> = (backends[0].servers.iter())
        .map(|server| server.comment().map(|span| sources.text(span)))
        .collect();
    let wanted = [
        Some("# above\n # more".to_owned()),
        Some("# beside".to_owned()),
        None,
    ];
    assert_eq!(comments, wanted);
    assert_eq!(
        sources.text(backends[0].servers[0].head()),
        "server a 1.1.1.1:80"
    );
    assert!(
        sources
            .text(backends[0].body)
            .starts_with("backend b # head")
    );
    assert!(sources.text(backends[0].body).ends_with("1.1.1.1:82"));
}

#[test]
fn files_of_one_instance_are_read_in_order() {
    let first = "defaults\n mode http\n balance leastconn\n";
    let second = "backend b\n balance uri\n server a 1.1.1.1:80\nbackend c\n";
    let (_, loaded) = load_with(&[first, second], &Options::default());
    let backends = &loaded.variants[0].backends;
    assert!(matches!(
        backends[0].algorithm.value,
        Algorithm::Hash(HashKey::Uri { .. })
    ));
    assert_eq!(backends[1].algorithm.value, Algorithm::LeastConn);
    let (_, loaded) = load_with(&["backend b\n", "mode http\n"], &Options::default());
    assert_eq!(loaded.findings[0].rule, "syntax-error");
}

#[test]
fn the_default_algorithm_depends_on_the_version() {
    let text = "backend b\n server a 1.1.1.1:80\n";
    let version = |minor| Options {
        haproxy_version: Version::new(3, minor, 0),
        ..Options::default()
    };
    let algorithm = |options: &Options| {
        let (_, loaded) = load_with(&[text], options);
        loaded.variants[0].backends[0].algorithm.clone()
    };
    assert_eq!(algorithm(&version(2)).value, Algorithm::RoundRobin);
    assert_eq!(algorithm(&version(3)).value, Algorithm::Random { draws: 2 });
    assert!(!algorithm(&version(3)).is_written());
}

#[test]
fn evidence_of_a_proxy_in_front_is_collected() {
    let text = "frontend f\n bind :80 accept-proxy\n option forwardfor\n log-format %[req.hdr(X-Forwarded-For)]\n http-request set-header X-Forwarded-For %[src]\n http-request set-src req.hdr_ip(X-FORWARDED-FOR,-1)\n acl x hdr_ip(x-forwarded-for) 10.0.0.0/8\n";
    let it = instance(text);
    assert_eq!(it.forwarded_for_reads.len(), 2);
    assert!(it.listeners[0].restores_client_address.is_some());
    assert!(it.listeners[0].binds[0].proxy_protocol);
}

#[test]
fn rules_that_answer_everything_are_seen() {
    for (line, answers) in [
        ("http-request return status 200", true),
        ("http-request deny if TRUE", true),
        ("http-request deny if { src 10.0.0.1 }", false),
        ("http-request redirect scheme https", true),
        ("redirect location /x unless FALSE", true),
        ("http-request set-header X y", false),
        ("stats enable", false),
        ("option transparent", true),
        ("stats auth a:b", false),
        ("errorfile 503 /x", true),
        ("tcp-request content reject", true),
    ] {
        let it = instance(&format!("backend b\n {line}\n"));
        assert_eq!(it.backends[0].answers_itself.is_some(), answers, "{line}");
    }
}

#[test]
fn content_tells_haproxy_from_other_files() {
    let yes = [
        "backend b\n server a 1.1.1.1:80\n",
        "global\n daemon\n\ndefaults\n mode http\n",
        "# x\n\n\nlisten web\n\tbind :80\n",
        "\u{feff}frontend f\r\n  bind :80\r\n",
    ];
    let no = [
        "",
        "[defaults]\ninventory = hosts\n",
        "[metadata]\nname = x\n",
        "menuentry 'x' {\n  set root=1\n}\n",
        "upstream b {\n  server 10.0.0.1;\n}\nserver {\n listen 80;\n}\n",
        "global x\nlocal y\n",
        "backend = foo\nserver = bar\n",
        "cache\nnode_modules\n",
    ];
    for text in yes {
        assert!(haproxy::looks_like(text.as_bytes()) > 0, "{text}");
    }
    for text in no {
        assert_eq!(haproxy::looks_like(text.as_bytes()), 0, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_file_can_be_read(lines in proptest::collection::vec(
        "(global|defaults|backend b|listen l|frontend f|server|balance|acl a|use_backend|default-server|\\.if|\\.elif|\\.else|\\.endif|timeout|cookie|hash-type|option|http-check|bind|no)?( [a-z0-9$\"'{}()%:,.!&|#\\\\-]{0,12}){0,6}",
        0..30,
    )) {
        let (sources, loaded) = load(&(lines.join("\n") + "\n"));
        for finding in &loaded.findings {
            sources.locate(finding.span);
            assert!(finding.span.start <= finding.span.end);
        }
    }
}
