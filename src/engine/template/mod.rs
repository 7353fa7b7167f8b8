//! Templates: files that another program turns into a configuration.
//!
//! In: the bytes of a file. Out: whether they hold marks of Jinja, Go templates (Helm, consul-template)
//! or ERB where the proxy would read configuration. Such a file cannot be audited: what it becomes
//! depends on values that are elsewhere. Marks in comments, in Lua and in quoted text that nobody
//! reads as configuration (`sub_filter '{{ name }}' …`) make no template.

mod mark;
mod place;

use std::path::Path;

use mark::{Mark, marks};
use place::Places;

/// A file that was not audited since it is a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The name it is shown by.
    pub name: String,
    /// The line of its first mark, counted from 1.
    pub line: u32,
    /// The configuration that includes it and is not audited either.
    pub included_by: Option<String>,
    /// Found in a walked folder, where nobody asked for this file.
    pub walked: bool,
}

/// Endings that a template has behind the name of the file that it becomes: `haproxy.cfg.j2`.
const SUFFIXES: [&str; 12] = [
    "j2", "jinja", "jinja2", "erb", "epp", "tmpl", "ctmpl", "gotmpl", "tpl", "tftpl", "template",
    "mustache",
];

/// The line of the first mark in `bytes`, counted from 1; `None` where they are no template.
pub fn first_mark(bytes: &[u8]) -> Option<u32> {
    let mut places = Places::new(bytes);
    let mark = marks(bytes).find(|mark| places.is_configuration(mark.range.start))?;
    let before = bytes.get(..mark.range.start)?;
    let lines = memchr::memchr_iter(b'\n', before).count();
    u32::try_from(lines + 1).ok()
}

/// `bytes` with a word in the place of each value and nothing in that of the other marks: enough to
/// tell which engine they are for.
pub fn without_marks(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for Mark { range, is_value } in marks(bytes) {
        text.extend(bytes.get(at..range.start).unwrap_or_default());
        if is_value {
            text.push(b'x');
        }
        let inside = bytes.get(range.clone()).unwrap_or_default();
        text.extend(inside.iter().filter(|&&byte| byte == b'\n'));
        at = range.end;
    }
    text.extend(bytes.get(at..).unwrap_or_default());
    text
}

/// The name of the file that a template with this name becomes: `haproxy.cfg` of `haproxy.cfg.j2`.
pub fn target(path: &Path) -> &Path {
    let is_suffix = |extension: &std::ffi::OsStr| SUFFIXES.iter().any(|known| extension == *known);
    match (path.extension(), path.file_stem()) {
        (Some(extension), Some(stem)) if is_suffix(extension) => Path::new(stem),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;
    use crate::model::Engine;

    #[test]
    fn templates_are_known_by_their_marks_and_their_engine_by_the_rest() {
        for (text, line, engine) in [
            (
                "{% for b in backends %}\nbackend {{ b.name }}\n  server {{ b.a }} {{ b.ip }}:80 check\n{% endfor %}\n",
                1,
                Engine::Haproxy,
            ),
            (
                "backend auth\n{{range service \"auth\"}}\n  server {{.ID}} {{.Address}}:{{.Port}} check\n{{end}}\n",
                2,
                Engine::Haproxy,
            ),
            (
                "backend auth\n  balance roundrobin\n<% @nodes.each do |n| -%>\n  server <%= n %>\n<% end -%>\n",
                3,
                Engine::Haproxy,
            ),
            (
                "upstream {{ .Values.name }} {\n  server {{ .Values.host }}:80;\n}\n",
                1,
                Engine::Nginx,
            ),
            (
                "upstream a {\n{{- range .Values.hosts }}\n  server {{ . }};\n{{- end }}\n}\n",
                2,
                Engine::Nginx,
            ),
            (
                "server {\n  listen 80;\n  server_name \"{{ name }}\";\n}\n",
                3,
                Engine::Nginx,
            ),
            (
                "# {{ ansible_managed }}\nbackend a\n  timeout server {{ t }}\n",
                3,
                Engine::Haproxy,
            ),
            (
                "{# made by hand #}\nbackend a\n  mode http\n",
                1,
                Engine::Haproxy,
            ),
            (
                "{{/* two\nlines */}}\nbackend a\n  mode http\n",
                1,
                Engine::Haproxy,
            ),
            (
                "backend a\n  mode http\n  server a {{ ip | default(\"#1\") }}:80\n",
                3,
                Engine::Haproxy,
            ),
        ] {
            assert_eq!(first_mark(text.as_bytes()), Some(line), "{text}");
            let rest = without_marks(text.as_bytes());
            assert_eq!(engine::detect(&rest), Some(engine), "{text}");
        }
    }

    #[test]
    fn configurations_are_no_templates() {
        for text in [
            "",
            "# {{ ansible_managed }} {% if x %} <% y %>\nbackend a\n  mode http\n",
            "backend a # was {{ name }}\n",
            "frontend f\n  log-format \"%ci {%hr} {%hs} %{+Q}r\"\n  log-format {{%ci}}\n",
            "frontend f\n  http-request deny if { path /x } { src 10.0.0.0/8 }\n",
            "frontend f\n  http-request set-header X %[src]\n  unique-id-format <%ci>%{+X}o\n",
            "frontend f\n  http-request return string \"<p>{{ name }}</p>\"\n",
            "frontend f\n  acl attack url_sub -i {{ }} <% %> ${{\n",
            "http {\n  log_format j '{\"a\":{\"b\":\"$uri\"}}';\n}\n",
            "location / {\n  sub_filter '{{ title }}' 'x';\n  sub_filter '<%= y %>' 'z';\n}\n",
            "location / { return 200 'Hello {{ name }}'; }\n",
            "log_format main '$remote_addr'\n  '{{ not }} <%= ours %>';\n",
            "if ($args ~ \"{{|}}\") { return 403; }\n",
            "content_by_lua_block {\n  local t = {{ 1, 2 }, { a, b }}\n  local u = {{ a }}\n}\n",
            "content_by_lua '\n  local u = {{ a }}\n';\n",
            "server { if ($x) { return 200; } }\nserver\n{\n  {\n  }\n}\n",
            "backend a\n  server a ${HOST}:80 weight \"${W-1}\"\n",
        ] {
            assert_eq!(first_mark(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_suffix_of_a_template_hides_the_name_of_its_target() {
        for (name, expected) in [
            ("roles/lb/haproxy.cfg.j2", "haproxy.cfg"),
            ("nginx.conf.erb", "nginx.conf"),
            ("conf.d/a.conf", "conf.d/a.conf"),
            ("default.conf.template", "default.conf"),
        ] {
            assert_eq!(target(Path::new(name)), Path::new(expected));
        }
    }
}
