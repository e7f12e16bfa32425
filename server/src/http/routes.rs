//! Routes, each with the rule of who may ask.
//!
//! The domain crates decide; the rule says what they decide, where the route
//! is made, so that none is made without one. The API's description has it
//! (`x-lindero-access`), and a test asks every route as nobody.

use access::Permission;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::AppState;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Everybody, and everybody is answered the same.
    Everybody,
    /// Everybody, of what the caller may see.
    Seen,
    /// Whoever shows a secret that was given to it: a password, a link.
    Secret,
    /// For whom an identity provider vouches.
    Vouched,
    /// Whoever came in, of its own.
    Own,
    /// Whoever has the permission, as far as it reaches.
    May(Permission),
}

impl Rule {
    /// What the API's description says of it.
    pub(super) fn text(self) -> String {
        match self {
            Self::Everybody => "everybody".to_owned(),
            Self::Seen => "everybody, of what the caller may see".to_owned(),
            Self::Secret => "whoever shows the password or the link".to_owned(),
            Self::Vouched => "for whom an identity provider vouches".to_owned(),
            Self::Own => "whoever came in, of its own".to_owned(),
            Self::May(permission) => format!("{permission}, as far as it reaches"),
        }
    }
}

/// A route.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its template: `/collections/{id}`.
    pub path: &'static str,
    /// Who may ask.
    pub rule: Rule,
}

impl Route {
    /// Whether a template of the same form, or a path, is this one's: what is
    /// in braces is anything.
    pub(super) fn is_of(&self, path: &str) -> bool {
        let (own, other) = (self.path.split('/'), path.split('/'));
        own.clone().count() == other.clone().count()
            && own.zip(other).all(|(own, other)| own.starts_with('{') || own == other)
    }
}

/// Routes in the making.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) router: Router<AppState>,
    pub(super) list: Vec<Route>,
}

impl Routes {
    pub(super) fn get<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on(Method::GET, path, rule, on(MethodFilter::GET, handler))
    }

    pub(super) fn post<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on(Method::POST, path, rule, on(MethodFilter::POST, handler))
    }

    pub(super) fn put<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on(Method::PUT, path, rule, on(MethodFilter::PUT, handler))
    }

    pub(super) fn patch<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on(Method::PATCH, path, rule, on(MethodFilter::PATCH, handler))
    }

    pub(super) fn delete<H: Handler<T, AppState>, T: 'static>(
        self,
        path: &'static str,
        rule: Rule,
        handler: H,
    ) -> Self {
        self.on(Method::DELETE, path, rule, on(MethodFilter::DELETE, handler))
    }

    fn on(mut self, method: Method, path: &'static str, rule: Rule, handler: MethodRouter<AppState>) -> Self {
        self.list.push(Route { method, path, rule });
        Self { router: self.router.route(path, handler), ..self }
    }

    /// Lets the routes so far take bodies of so many bytes.
    pub(super) fn with_bodies_up_to(self, bytes: usize) -> Self {
        Self { router: self.router.route_layer(DefaultBodyLimit::max(bytes)), ..self }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        Self { router: self.router.merge(other.router), ..self }
    }
}
