//! From what a provider says of somebody to what the rules give.

use access::Reach;
use access::outside::{Grant, Vouched};
use serde_json::{Map, Value};

use crate::config::{Admit, Mapping, RoleRule};

/// What a provider says of somebody.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// By name.
    pub(super) claims: &'a Map<String, Value>,
    /// Whether upper and lower case are one, as in a directory.
    pub(super) ignores_case: bool,
}

impl Said<'_> {
    /// The values of a claim: those of a list, or the one that it is.
    pub(super) fn values(&self, claim: &str) -> Vec<String> {
        let value = if let Some(way) = claim.strip_prefix('/') {
            // A pointer goes from the whole down, which is a map here.
            let (first, rest) = way.split_once('/').unwrap_or((way, ""));
            let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
            self.named(first).and_then(|value| value.pointer(&rest))
        } else {
            self.named(claim)
        };
        match value {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The first value of a claim; empty where there is none.
    pub(super) fn first(&self, claim: &str) -> String {
        self.values(claim).into_iter().next().unwrap_or_default()
    }

    fn named(&self, claim: &str) -> Option<&Value> {
        if !self.ignores_case {
            return self.claims.get(claim);
        }
        self.claims.iter().find(|(name, _)| name.eq_ignore_ascii_case(claim)).map(|(_, value)| value)
    }

    fn has(&self, rule: &RoleRule) -> bool {
        let is_value = |value: &String| {
            *value == rule.value || self.ignores_case && value.to_lowercase() == rule.value.to_lowercase()
        };
        self.values(&rule.claim).iter().any(is_value)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Mapping {
    /// With what the rules give, and whether they let in.
    pub(super) fn apply(&self, said: &Said<'_>, vouched: Vouched) -> Vouched {
        let dependency = self.dependency_claim.as_deref().map(|claim| said.first(claim)).unwrap_or_default();
        let mut grants: Vec<Grant> = Vec::new();
        for rule in self.roles.iter().filter(|rule| said.has(rule)) {
            let Some(grant) = rule.grant(&dependency) else { continue };
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        let is_admitted = self.admit == Admit::All || !grants.is_empty();
        Vouched { municipality: self.municipality.clone(), dependency, grants, is_admitted, ..vouched }
    }
}

impl RoleRule {
    /// What it gives to somebody of that dependency. Never further than it says:
    /// who is of no dependency gets nothing within his own.
    fn grant(&self, dependency: &str) -> Option<Grant> {
        let own = if self.own_dependency { Some(dependency.to_owned()) } else { self.dependency.clone() };
        if own.as_deref() == Some("") {
            return None;
        }
        let (municipality, layer) = (self.municipality.clone(), self.layer.clone());
        Some(Grant { role: self.role.clone(), reach: Reach { municipality, dependency: own, layer } })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn apply(mapping: &str, claims: &Value, ignores_case: bool) -> Vouched {
        let mapping: Mapping = toml::from_str(mapping).unwrap();
        let nobody = Vouched {
            provider: String::new(),
            subject: String::new(),
            name: String::new(),
            full_name: String::new(),
            email: String::new(),
            municipality: None,
            dependency: String::new(),
            grants: Vec::new(),
            is_admitted: false,
        };
        mapping.apply(&Said { claims: claims.as_object().unwrap(), ignores_case }, nobody)
    }

    const RULES: &str = "dependency_claim = 'department'\n\
        [[roles]]\nvalue = 'sig'\nrole = 'planner'\nown_dependency = true\n\
        [[roles]]\nclaim = '/realm_access/roles'\nvalue = 'lindero-admin'\nrole = 'administrator'\n\
        [[roles]]\nclaim = 'https://example.org/layer'\nvalue = 'true'\nrole = 'editor'\nlayer = 'vias'\n";

    #[test]
    fn a_rule_gives_where_its_claim_has_its_value() {
        let claims = json!({ "groups": ["otro", "sig"], "department": "Salud",
            "realm_access": { "roles": ["lindero-admin"] }, "https://example.org/layer": true });
        let vouched = apply(RULES, &claims, false);
        let said: Vec<_> = vouched.grants.iter().map(|grant| serde_json::to_value(&grant.reach).unwrap()).collect();
        assert_eq!(said, [json!({ "dependency": "Salud" }), json!({}), json!({ "layer": "vias" })]);
        assert_eq!((vouched.is_admitted, vouched.dependency.as_str()), (true, "Salud"));
        assert!(apply(RULES, &json!({ "groups": "sig", "department": "Salud" }), false).is_admitted);
    }

    #[test]
    fn what_is_not_said_gives_nothing() {
        for claims in [
            json!({}),
            json!({ "groups": ["SIG", "si"], "department": "Salud" }),
            // Of no dependency: not everywhere.
            json!({ "groups": ["sig"] }),
            json!({ "groups": ["sig"], "department": "" }),
            json!({ "groups": { "sig": true }, "department": "Salud" }),
            json!({ "realm_access": ["lindero-admin"], "/realm_access/roles": "lindero-admin" }),
        ] {
            let vouched = apply(RULES, &claims, false);
            assert!(vouched.grants.is_empty() && !vouched.is_admitted, "{claims}");
        }
        assert!(apply("admit = 'all'", &json!({}), false).is_admitted);
    }

    #[test]
    fn a_directory_does_not_tell_upper_from_lower_case() {
        let rules = "[[roles]]\nvalue = 'CN=SIG,DC=example'\nrole = 'planner'\n";
        assert!(apply(rules, &json!({ "Groups": ["cn=sig,dc=Example"] }), true).is_admitted);
        assert!(!apply(rules, &json!({ "groups": ["cn=sig,dc=Example"] }), false).is_admitted);
    }
}
