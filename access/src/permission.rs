//! What somebody may do, and the roles that are there from the start.

use enumset::{EnumSet, EnumSetType, enum_set};
use serde::{Deserialize, Serialize};

use crate::UnknownCode;
use crate::codes::codes;

/// Something that a role may allow. Whoever has none sees what is public.
#[derive(Debug, Hash, EnumSetType, Serialize, Deserialize)]
#[enumset(serialize_repr = "list")]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See layers and attributes that are *clasificada*.
    ReadClassified,
    /// See those that are *reservada* too.
    ReadReserved,
    /// See features that are persons, cases or dwellings, as far as they are
    /// classified.
    ReadPersonal,
    /// Create, change and delete features.
    EditFeatures,
    /// Say what a layer is: who may see it, its attributes, how it is drawn.
    ManageLayers,
    /// Manage accounts, what they are assigned, their keys and sessions.
    ManageAccounts,
    /// Recombine what roles allow.
    ManageRoles,
    /// Search the audit trail and take it out.
    ReadAudit,
    /// See the server's health, and its jobs.
    Operate,
}

codes!(Permission, "permission",
    "read_classified, read_reserved, read_personal, edit_features, manage_layers, manage_accounts, manage_roles, \
     read_audit, operate",
    "read_classified" => ReadClassified, "read_reserved" => ReadReserved, "read_personal" => ReadPersonal,
    "edit_features" => EditFeatures, "manage_layers" => ManageLayers, "manage_accounts" => ManageAccounts,
    "manage_roles" => ManageRoles, "read_audit" => ReadAudit, "operate" => Operate);

/// Several permissions.
pub type Permissions = EnumSet<Permission>;

/// The permissions with these codes, as the database keeps them.
pub(crate) fn of_codes(codes: &[String]) -> Result<Permissions, sqlx::Error> {
    let permission = |code: &String| code.parse::<Permission>();
    let known: Result<Permissions, UnknownCode> = codes.iter().map(permission).collect();
    known.map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Their codes, for the database.
pub(crate) fn codes(permissions: Permissions) -> Vec<&'static str> {
    permissions.iter().map(Permission::code).collect()
}

/// A role as it is when the database is made.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInRole {
    /// Its id.
    pub id: &'static str,
    /// What it is called, in Spanish and in English.
    pub title: [&'static str; 2],
    /// What it allows.
    pub permissions: Permissions,
}

/// The role that can never lose what it allows.
pub const ADMINISTRATOR: &str = "administrator";

/// The roles that are there from the start.
pub const BUILT_IN_ROLES: [BuiltInRole; 7] = {
    use Permission::{
        EditFeatures, ManageAccounts, ManageLayers, ManageRoles, Operate, ReadAudit, ReadClassified, ReadPersonal,
    };
    const fn role(id: &'static str, title: [&'static str; 2], permissions: Permissions) -> BuiltInRole {
        BuiltInRole { id, title, permissions }
    }
    [
        role("citizen", ["Ciudadanía", "Citizen"], Permissions::empty()),
        role("planner", ["Planeación", "Planner"], enum_set!(ReadClassified)),
        role("editor", ["Edición", "Editor"], enum_set!(ReadClassified | EditFeatures)),
        role(
            "registry_officer",
            ["Caracterización", "Registry officer"],
            enum_set!(ReadClassified | ReadPersonal | EditFeatures),
        ),
        role("registry_analyst", ["Análisis de población", "Registry analyst"], enum_set!(ReadClassified)),
        role("auditor", ["Auditoría", "Auditor"], enum_set!(ReadAudit)),
        role(
            ADMINISTRATOR,
            ["Administración", "Administrator"],
            enum_set!(ReadClassified | ManageLayers | ManageAccounts | ManageRoles | Operate),
        ),
    ]
};
