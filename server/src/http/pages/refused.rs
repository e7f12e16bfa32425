use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, html};

use super::STYLE_PATH;
use crate::http::asked::Language;
use crate::http::base_url::BaseUrl;
use crate::http::document::HTML;

/// Why a login through an identity provider came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Refusal {
    /// It was not begun here, or is over.
    NotBegun,
    /// The provider cannot be asked.
    Away,
    /// The provider does not vouch for the person.
    Refused,
    /// No rule gives the person anything.
    NotAdmitted,
    /// Not now, or not from there.
    OutOfBounds,
    /// The account was closed here.
    Closed,
    /// Too many logins from there.
    TooMany,
}

impl Refusal {
    fn text(self, language: Language) -> &'static str {
        match self {
            Self::NotBegun => language.choose(
                "Este ingreso no se comenzó en este navegador, o ya terminó. Comience de nuevo.",
                "This login was not begun in this browser, or is over. Begin anew.",
            ),
            Self::Away => language.choose(
                "El proveedor de identidad no responde en este momento. Intente de nuevo en unos minutos.",
                "The identity provider cannot be asked at the moment. Try again in a few minutes.",
            ),
            Self::Refused => language.choose(
                "El proveedor de identidad no confirmó quién es usted. Intente de nuevo; si sigue así, avise a quien administra las cuentas.",
                "The identity provider did not confirm who you are. Try again; if it stays so, tell whoever manages accounts.",
            ),
            Self::NotAdmitted => language.choose(
                "Su cuenta existe, pero aquí no se le asignó nada. Pida a quien administra las cuentas que lo agregue a un grupo.",
                "Your account exists, but nothing was given to it here. Ask whoever manages accounts to add you to a group.",
            ),
            Self::OutOfBounds => language.choose(
                "Su cuenta no puede ingresar a esta hora o desde esta red.",
                "Your account may not come in at this hour or from this network.",
            ),
            Self::Closed => language.choose(
                "Su cuenta está cerrada aquí. Pregunte a quien administra las cuentas.",
                "Your account was closed here. Ask whoever manages accounts.",
            ),
            Self::TooMany => language.choose(
                "Demasiados ingresos desde esta red. Espere un minuto.",
                "Too many logins from this network. Wait a minute.",
            ),
        }
    }
}

/// The page. It links to nothing that holds what the provider sent along.
pub(in crate::http) fn refused(
    language: Language,
    base: &BaseUrl,
    provider: &str,
    why: Refusal,
    again: Option<&str>,
) -> Response {
    let title = language.choose("No pudo ingresar", "You could not log in");
    let page = html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Lindero" }
                link rel="stylesheet" href=(base.join(STYLE_PATH));
            }
            body {
                header { a.name href=(base.join("/")) { "Lindero" } }
                main id="content" {
                    h1 { (title) }
                    @if !provider.is_empty() { p { strong { (provider) } } }
                    p { (why.text(language)) }
                    ul {
                        @if let Some(again) = again {
                            li { a href=(again) { (language.choose("Intentar de nuevo", "Try again")) } }
                        }
                        li { a href=(base.join("/")) { (language.choose("Volver al mapa", "Back to the map")) } }
                    }
                }
            }
        }
    };
    ([(CONTENT_TYPE, HTML)], page.into_string()).into_response()
}
