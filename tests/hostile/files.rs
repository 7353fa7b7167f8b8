//! Input that is no readable configuration, or is not where it should be.

use crate::case::{Case, HAPROXY, Thing};

/// The rows.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = nothing_to_read();
    cases.extend(not_text());
    cases.extend(links_and_folders());
    cases
}

fn nothing_to_read() -> Vec<Case> {
    vec![
        Case::file("an empty file", "").fails(2, "`x.cfg` is empty"),
        Case::new("empty standard input", &["-"]).fails(2, "is empty"),
        Case::new("the null device", &["/dev/null"]).fails(2, "`/dev/null` is empty"),
        Case::new("a file that is not there", &["x.cfg"]).fails(2, "cannot read `x.cfg`"),
        Case::new("a folder that is not there", &["nowhere/"]).fails(2, "cannot read `nowhere/`"),
        Case::new("an empty folder", &["folder"])
            .and("folder", Thing::Folder)
            .fails(3, "no configuration found"),
        Case::new("a folder of other things", &["folder"])
            .with("folder/notes.conf", "buy milk\n")
            .fails(3, "no configuration found"),
        Case::file("white space only", " \n\t\n\r\n").fails(2, "`x.cfg`"),
        Case::file("prose", "Dear all,\nplease find attached.\n").fails(2, "neither"),
    ]
}

fn not_text() -> Vec<Case> {
    vec![
        Case::file("only a byte order mark", "\u{feff}").fails(2, "`x.cfg`"),
        Case::file(
            "a program",
            &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0"[..],
        )
        .fails(2, "neither"),
        Case::file("UTF-16", utf16(HAPROXY)).fails(2, "neither"),
        Case::file(
            "every byte value",
            (0..=255_u8).cycle().take(65_536).collect::<Vec<u8>>(),
        )
        .fails(2, "neither"),
        Case::file("a million NUL bytes", vec![0; 1_000_000]).fails(2, "neither"),
        Case::file("a million line ends", vec![b'\n'; 1_000_000]).fails(2, "`x.cfg`"),
    ]
}

fn links_and_folders() -> Vec<Case> {
    vec![
        Case::new("a link to nothing", &["x.cfg"])
            .and("x.cfg", Thing::Link("nowhere.cfg"))
            .fails(2, "cannot read `x.cfg`"),
        Case::new("a link to itself", &["x.cfg"])
            .and("x.cfg", Thing::Link("x.cfg"))
            .fails(2, "cannot read `x.cfg`"),
        Case::new("a link to nothing in a folder", &["folder"])
            .with("folder/good.cfg", HAPROXY)
            .and("folder/x.cfg", Thing::Link("nowhere.cfg"))
            .fails(2, "x.cfg"),
        Case::new("a folder that contains itself", &["folder"])
            .with("folder/good.cfg", HAPROXY)
            .and("folder/inner", Thing::Link("..")),
        Case::new("a folder with the name of a file", &["folder"])
            .with("folder/x.cfg/good.cfg", HAPROXY),
        Case::new("a pipe in a folder", &["folder"])
            .with("folder/good.cfg", HAPROXY)
            .and("folder/x.cfg", Thing::Pipe),
        Case::new("the same file by two names", &["folder"])
            .with("folder/good.cfg", HAPROXY)
            .and("folder/also.cfg", Thing::Link("good.cfg")),
        Case::new("one broken file among good ones", &["folder"])
            .with("folder/a.cfg", HAPROXY)
            .with(
                "folder/b.cfg",
                [HAPROXY, "  server c \"10.0.0.3:80\n"].concat(),
            )
            .finds(&["syntax-error folder/b.cfg:16:12"]),
        Case::new("a name with control characters", &["x\u{1b}[31m.cfg"]).fails(2, "cannot read"),
    ]
}

fn utf16(text: &str) -> Vec<u8> {
    let units = [0xfeff].into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}
