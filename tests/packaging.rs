//! What lies in `packaging`: the hooks refuse what they must refuse, and every command line in it is one that
//! the program takes.

#![allow(clippy::expect_used, reason = "helpers of tests fail like the tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{haproxy, nginx};

const HAPROXY: &str = "\
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:18080
  maxconn 1000
  default_backend auth
backend auth
  balance roundrobin
  option httpchk GET /health
  http-check expect status 200
  option redispatch 1
  default-server check inter 2s maxconn 900
  server a 127.0.0.1:18081 weight 10
  server b 127.0.0.1:18082 weight 10
  server c 127.0.0.1:18083 weight 10
";

/// A folder with a configuration, and `lbaudit` and the proxies in the path.
struct Host {
    folder: tempfile::TempDir,
    path: String,
}

impl Host {
    fn new(proxy: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let programs = folder.path().join("bin");
        fs::create_dir(&programs).expect("a folder");
        let program = Path::new(env!("CARGO_BIN_EXE_lbaudit"));
        std::os::unix::fs::symlink(program, programs.join("lbaudit")).expect("a link");
        let proxies = proxy.parent().expect("the folder of the proxy");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", programs.display(), proxies.display());
        Self { folder, path }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the hook on `config`; the reload makes the file `reloaded`.
    fn reload(&self, engine: &str, config: &str) -> (Output, bool) {
        let file = self.at("config");
        let reloaded = self.at("reloaded");
        fs::write(&file, config).expect("a configuration");
        let _ = fs::remove_file(&reloaded);
        let output = self
            .script()
            .args([engine.as_ref(), file.as_os_str(), "--".as_ref()])
            .args(["touch".as_ref(), reloaded.as_os_str()])
            .output()
            .expect("the hook runs");
        (output, reloaded.exists())
    }

    fn script(&self) -> Command {
        let mut command = Command::new(packaging("reload/lbaudit-reload"));
        command
            .env("PATH", &self.path)
            .current_dir(self.folder.path());
        command.env_remove("LBAUDIT_CONFIG");
        command
    }

    /// A configuration of nginx that needs nothing outside of the folder.
    fn nginx(&self, servers: &str) -> String {
        let paths = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"].map(|name| {
            let path = self.at(name);
            format!("  {name}_temp_path {};\n", path.display())
        });
        format!(
            "pid {}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n  access_log off;\n{}  upstream auth {{\n    zone auth 64k;\n\
             {servers}  }}\n  server {{\n    listen 127.0.0.1:18084;\n    location / {{\n      proxy_pass http://auth;\n    }}\n  }}\n}}\n",
            self.folder.path().display(),
            paths.concat(),
        )
    }
}

fn packaging(path: &str) -> PathBuf {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging"));
    folder.join(path)
}

fn assert_refused((output, reloaded): (Output, bool), reason: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(reason), "{said}");
    assert!(!reloaded, "it was reloaded all the same");
}

fn assert_reloaded((output, reloaded): (Output, bool)) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(reloaded);
}

#[test]
fn haproxy_is_reloaded_with_a_good_configuration_only() {
    let Some(proxy) = haproxy() else { return };
    let host = Host::new(&proxy);
    assert_reloaded(host.reload("haproxy", HAPROXY));
    let uneven = HAPROXY.replace("18083 weight 10", "18083 weight 100");
    assert_refused(host.reload("haproxy", &uneven), "lbaudit refuses");
    let certificate = "bind 127.0.0.1:18443 ssl crt /no/such/certificate.pem";
    let lacking = HAPROXY.replace("bind 127.0.0.1:18080", certificate);
    assert_refused(host.reload("haproxy", &lacking), "it refuses");
    assert_refused(host.reload("haproxy", ""), "lbaudit refuses");
}

#[test]
fn nginx_is_reloaded_with_a_good_configuration_only() {
    let Some(proxy) = nginx() else { return };
    let host = Host::new(&proxy);
    let even = host.nginx(
        "    server 127.0.0.1:18081;\n    server 127.0.0.1:18082;\n    server 127.0.0.1:18083;\n",
    );
    assert_reloaded(host.reload("nginx", &even));
    let uneven = even.replace("18083;", "18083 weight=50;");
    assert_refused(host.reload("nginx", &uneven), "lbaudit refuses");
    let lacking = even.replace(
        "access_log off;",
        "ssl_certificate /no/such/certificate.pem; server { listen 127.0.0.1:18443 ssl; }",
    );
    assert_refused(host.reload("nginx", &lacking), "it refuses");
}

#[test]
fn a_warning_or_a_failing_command_is_told_from_an_error() {
    let Some(proxy) = haproxy() else { return };
    let host = Host::new(&proxy);
    let warning = HAPROXY.replace("18083 weight 10", "18083 weight 25");
    assert_reloaded(host.reload("haproxy", &warning));
    let failing = host
        .script()
        .args(["haproxy", "config", "--", "false"])
        .output();
    assert_eq!(failing.expect("the hook runs").status.code(), Some(1));
    for arguments in [&["apache"][..], &[], &["nginx", "a", "b"], &["nginx", "--"]] {
        let output = host
            .script()
            .args(arguments)
            .output()
            .expect("the hook runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.starts_with("usage:"), "{said}");
    }
}

/// The command lines of `lbaudit` in a file, as words without the program.
fn command_lines(path: &str, before: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(packaging(path)).expect("a file");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter_map(|line| line.split_once(before));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    lines.map(|(_, line)| words(line)).collect()
}

/// Runs the command lines with the variables of their units replaced, on `config`.
fn run(line: &[String], config: &Path, metrics: &Path) -> Option<i32> {
    let (config, metrics) = (config.as_os_str(), metrics.as_os_str());
    let words = line.iter().filter(|word| *word != "$LBAUDIT_OPTIONS");
    let words = words.map(|word| match word.as_str() {
        "${METRICS_FILE}" => metrics,
        word if word.starts_with("/var/lib/prometheus/") => metrics,
        "$CONFIG" | "/etc/nginx/nginx.conf" => config,
        word => word.as_ref(),
    });
    let mut command = support::command(Path::new("."));
    command.arg("--no-config").args(words);
    if !line
        .iter()
        .any(|word| word == "$CONFIG" || word.starts_with("/etc/"))
    {
        command.arg(config);
    }
    command.output().expect("lbaudit runs").status.code()
}

#[test]
fn the_units_and_the_crontab_have_command_lines_that_work() {
    let host = Host::new(Path::new("/usr/sbin/any"));
    let write = |name: &str, text: &str| {
        fs::write(host.at(name), text).expect("a configuration");
        host.at(name)
    };
    let servers =
        |weight: u8| format!("    server 127.0.0.1:1;\n    server 127.0.0.1:2 weight={weight};\n");
    let haproxy = [
        write("good.cfg", HAPROXY),
        write(
            "bad.cfg",
            &HAPROXY.replace("18083 weight 10", "18083 weight 100"),
        ),
    ];
    let nginx = [
        write("good.conf", &host.nginx(&servers(1))),
        write("bad.conf", &host.nginx(&servers(50))),
    ];
    let metrics = host.at("metrics.prom");
    for (file, before, [good, bad]) in [
        (
            "systemd/lbaudit.service",
            "ExecStart=/usr/bin/lbaudit ",
            &haproxy,
        ),
        (
            "systemd/haproxy.service.d/lbaudit.conf",
            "ExecReload=/usr/bin/lbaudit ",
            &haproxy,
        ),
        (
            "systemd/nginx.service.d/lbaudit.conf",
            "ExecReload=/usr/bin/lbaudit ",
            &nginx,
        ),
        ("cron.d/lbaudit", "; lbaudit ", &haproxy),
    ] {
        let lines = command_lines(file, before);
        let statuses = lines
            .iter()
            .map(|line| [good, bad].map(|config| run(line, config, &metrics)));
        assert_eq!(
            statuses.collect::<Vec<_>>(),
            [[Some(0), Some(1)]],
            "{file}: {lines:?}"
        );
    }
    let written = fs::read_to_string(&metrics).expect("the metrics were written");
    assert!(written.contains("lbaudit_last_run_success 1"), "{written}");
}

/// `cargo deb` says so as well, but only who builds the package would hear it.
#[test]
fn the_files_of_the_package_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table =
        toml::from_str(include_str!("../Cargo.toml")).expect("the manifest is TOML");
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().expect("assets").iter();
    let sources = assets.map(|asset| asset[0].as_str().expect("a source"));
    let kept: Vec<&str> = sources
        .filter(|source| !source.starts_with("target/"))
        .collect();
    assert!(kept.len() > 5, "{kept:?}");
    for source in kept {
        // A glob stands for what is in its folder.
        let path = source.split_once("/*").map_or(source, |(folder, _)| folder);
        assert!(root.join(path).exists(), "{source}");
    }
    let made = fs::read_to_string(packaging("build-deb")).expect("the script");
    for name in ["man", "lbaudit.toml", "changelog"] {
        assert!(
            made.contains(&format!("$made/{name}\"")),
            "{name} is not made"
        );
    }
}
