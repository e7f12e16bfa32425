//! The cage of a reading process: limits on memory, time, files; no network;
//! no other files than the input's. What the kernel does not allow us is
//! told, never passed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus,
};
use rlimit::Resource;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::import::Limits;

/// Where libraries and their data are: PROJ's and GDAL's tables among them.
const SYSTEM: [&str; 5] = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null"];

/// Confines this process for good. `input` is read, `scratch` written.
/// Returns what could not be confined.
pub(super) fn confine(input: &Path, scratch: &Path, limits: &Limits) -> Vec<String> {
    let mut missing = Vec::new();
    for (what, resource, most) in [
        ("memory", Resource::AS, limits.memory_bytes),
        ("processor time", Resource::CPU, limits.cpu_seconds),
        ("file size", Resource::FSIZE, limits.unpacked_bytes),
        ("open files", Resource::NOFILE, 256),
        ("core dumps", Resource::CORE, 0),
    ] {
        // At the soft limit a signal says what ran out; at the hard one of
        // processor time the kernel just kills.
        let hard = if resource == Resource::CPU { most + 2 } else { most };
        if let Err(error) = rlimit::setrlimit(resource, most, hard) {
            missing.push(format!("no limit on {what}: {error}"));
        }
    }
    if let Err(reason) = restrict_files(input, scratch) {
        missing.push(format!("files are not restricted (Landlock): {reason}"));
    }
    if let Err(reason) = restrict_calls() {
        missing.push(format!("the network is not closed (seccomp): {reason}"));
    }
    missing
}

/// What a reading process on this machine can be confined by: an empty list
/// where the kernel offers all of it, else what is missing.
pub fn missing_confinement() -> Vec<String> {
    let mut missing = Vec::new();
    let landlock = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    if landlock.is_err() {
        missing.push(
            "the kernel has no Landlock: an import's reader could read other files of this user; \
             run the server as a user of its own"
                .to_owned(),
        );
    }
    if !Path::new("/proc/sys/kernel/seccomp").exists() {
        missing.push("the kernel has no seccomp: an import's reader could use the network".to_owned());
    }
    missing
}

fn restrict_files(input: &Path, scratch: &Path) -> Result<(), String> {
    let abi = ABI::V3;
    let read: BitFlags<AccessFs> = AccessFs::ReadFile.into();
    let listed = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut rules: Vec<(PathBuf, BitFlags<AccessFs>)> = vec![(scratch.to_owned(), AccessFs::from_all(abi))];
    rules.extend(SYSTEM.iter().map(|path| (PathBuf::from(path), AccessFs::from_read(abi))));
    if input.is_dir() {
        rules.push((input.to_owned(), listed));
    } else {
        rules.extend(companions(input).into_iter().map(|file| (file, read)));
        if let Some(folder) = input.parent() {
            rules.push((folder.to_owned(), AccessFs::ReadDir.into()));
        }
    }
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(Ruleset::create)
        .map_err(|error| error.to_string())?;
    for (path, access) in rules {
        let Ok(descriptor) = PathFd::new(&path) else { continue };
        // Rights on folders make no sense on a file.
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(abi) };
        ruleset = ruleset.add_rule(PathBeneath::new(descriptor, access)).map_err(|error| error.to_string())?;
    }
    let status = ruleset.restrict_self().map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("the kernel does not offer it".to_owned()),
        // An older kernel restricts less of what a writer could do; reading
        // is restricted since the first version.
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
    }
}

/// The file and those beside it with its stem: a Shapefile's .dbf and .prj.
fn companions(input: &Path) -> Vec<PathBuf> {
    let mut files = vec![input.to_owned()];
    let stem = input.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let folder = input.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let (Some(stem), Ok(entries)) = (stem, std::fs::read_dir(folder)) {
        files.extend(entries.flatten().map(|entry| entry.path()).filter(|path| {
            path.is_file() && path.file_stem().is_some_and(|other| other.to_string_lossy().to_lowercase() == stem)
        }));
    }
    files
}

/// No sockets, no other programs, no looking into other processes.
fn restrict_calls() -> Result<(), String> {
    let denied = [
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_io_uring_setup,
        libc::SYS_mount,
        libc::SYS_bpf,
        libc::SYS_keyctl,
    ];
    let rules: BTreeMap<i64, Vec<_>> = denied.into_iter().map(|call| (call, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), architecture)
            .map_err(|error| error.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}
