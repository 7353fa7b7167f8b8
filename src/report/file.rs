//! Files written whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::Error;

/// Writes `bytes` to `path` so that a reader sees either the old content or all of the new one.
///
/// The bytes go to a temporary file in the same folder, which then takes the name. An existing
/// file's permissions are kept; a new one gets those that the process would give any new file.
pub fn write_file_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fault = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    // A link keeps pointing where it points: its target is what is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = std::fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|meta| !meta.is_file()) {
        // A device or a pipe, such as /dev/stdout, cannot be replaced by a file.
        return std::fs::write(&target, bytes).map_err(fault);
    }
    let file = written_beside(&target, bytes).map_err(fault)?;
    if let Some(old) = old {
        std::fs::set_permissions(file.path(), old.permissions()).map_err(fault)?;
    }
    file.persist(&target)
        .map(drop)
        .map_err(|failed| fault(failed.error))
}

/// Writes `bytes` to the new file `path`, whole or not at all; `false` where something has that name.
pub fn write_new_file(path: &Path, bytes: &[u8]) -> Result<bool, Error> {
    let fault = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let file = written_beside(path, bytes).map_err(fault)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(failed) if failed.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(fault(failed.error)),
    }
}

/// A temporary file with these bytes in the folder of `target`.
fn written_beside(target: &Path, bytes: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    std::fs::metadata(folder)?;
    // Its own words have the name of the temporary file, which is another one in every run.
    let mut file = create_in(folder).map_err(|fault| fault.kind())?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A temporary file with the permissions of an ordinary new file, cut down by the process's umask;
/// the crate's own default would be readable by the owner only.
#[cfg(unix)]
fn create_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

#[cfg(not(unix))]
fn create_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        write_file_atomically(&path, b"old").unwrap();
        write_file_atomically(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_takes_no_name_that_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        assert!(write_new_file(&path, b"first").unwrap());
        assert!(!write_new_file(&path, b"second").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/out.json");
        let fault = write_file_atomically(&path, b"new").unwrap_err();
        assert!(fault.to_string().contains("out.json"), "{fault}");
        let same = write_file_atomically(&path, b"new").unwrap_err();
        assert_eq!(fault.to_string(), same.to_string());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_are_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let link = folder.path().join("link");
        std::fs::write(&path, b"old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_file_atomically(&link, b"new").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
