//! OpenID Connect: the authorization code flow with PKCE, as a confidential or
//! a public client.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use access::Token;
use access::errand::Errand;
use access::outside::Vouched;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenClaims, IdTokenFields, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use super::mapping::Said;
use super::trust;
use super::web::{Web, WebError};
use crate::config::{IdentityError, Mapping, OidcSettings, identity_secret};

/// What a provider says of itself holds so long …
const FRESH: Duration = Duration::from_hours(1);
/// … and so long where it cannot be asked again.
const STALE: Duration = Duration::from_hours(24);
/// It is not asked again sooner than that, whatever keys it is said to have.
const AGAIN: Duration = Duration::from_secs(10);
/// Nor than that where it could not be asked.
const FAILED: Duration = Duration::from_secs(2);

/// How ID tokens may be signed: by a key that the provider alone has.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Why a login at a provider came to nothing. Says nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OidcError {
    /// It cannot be asked.
    #[error("it cannot be reached")]
    Away,
    /// It answers what cannot be.
    #[error("it answers what cannot be understood")]
    Broken,
    /// It does not take the code: it was used, or is not ours, or too old.
    #[error("it does not take the code ({0})")]
    Refused(&'static str),
    /// What it says of the person cannot be trusted.
    #[error("its ID token is not valid: {0}")]
    Untrue(&'static str),
}

/// Every claim, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Claims(Map<String, Value>);

impl AdditionalClaims for Claims {}

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type OwnClient = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider.
#[derive(Debug)]
pub struct Oidc {
    settings: OidcSettings,
    mapping: Mapping,
    web: OnceLock<Web>,
    found: Mutex<Known>,
}

/// What is known of a provider.
#[derive(Debug, Default)]
struct Known {
    found: Option<Found>,
    /// When it could not be asked, and why: many who wait do not each ask again.
    failed: Option<(Instant, OidcError)>,
}

/// What a provider said of itself, and when.
#[derive(Debug, Clone)]
struct Found {
    metadata: Arc<ProviderMetadataWithLogout>,
    at: Instant,
}

impl Known {
    /// What it said of itself, where that is not older.
    fn within(&self, oldest: Duration) -> Option<Arc<ProviderMetadataWithLogout>> {
        self.found.as_ref().filter(|found| found.at.elapsed() < oldest).map(|found| Arc::clone(&found.metadata))
    }
}

/// A login to be begun: what is to be kept, and where the browser is sent.
#[derive(Debug)]
pub struct Start {
    /// What is kept of it.
    pub errand: Errand,
    client: OwnClient,
    challenge: PkceCodeChallenge,
    scopes: Vec<String>,
}

impl Start {
    /// Where the browser is sent, to bring that state back.
    pub fn url(self, state: &Token) -> Url {
        let (state, nonce) = (state.expose().to_owned(), self.errand.nonce);
        let request = self.client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        );
        let (url, ..) =
            request.add_scopes(self.scopes.into_iter().map(Scope::new)).set_pkce_challenge(self.challenge).url();
        url
    }
}

impl Oidc {
    pub(super) fn new(settings: OidcSettings) -> Self {
        let mapping = settings.mapping();
        Self { settings, mapping, web: OnceLock::new(), found: Mutex::default() }
    }

    pub(super) fn check(&self) -> Result<(), IdentityError> {
        self.secret()?;
        self.web().map(drop)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// What its button says.
    pub fn title(&self) -> &str {
        &self.settings.title
    }

    /// Whether that is its issuer, as an answer says it (RFC 9207).
    pub fn is_issuer(&self, issuer: &str) -> bool {
        issuer == self.settings.issuer
    }

    /// Whether it says what it is.
    pub(super) async fn reach(&self) -> Result<(), OidcError> {
        self.metadata(FRESH).await.map(drop)
    }

    /// Begins a login whose browser comes back to `redirect`.
    pub async fn start(&self, redirect: String, return_to: String) -> Result<Start, OidcError> {
        let client = self.client(&*self.metadata(FRESH).await?, &redirect)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let errand = Errand {
            provider: self.settings.id.clone(),
            nonce: Nonce::new_random().secret().clone(),
            verifier: verifier.into_secret(),
            redirect,
            return_to,
        };
        Ok(Start { errand, client, challenge, scopes: self.settings.scopes.clone() })
    }

    /// Whom the provider vouches for by that code.
    pub async fn finish(&self, code: String, errand: &Errand) -> Result<Vouched, OidcError> {
        let metadata = self.metadata(FRESH).await?;
        let client = self.client(&metadata, &errand.redirect)?;
        let web = self.web().map_err(|error| misconfigured(&error))?;
        let tokens: Tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| OidcError::Broken)?
            .set_pkce_verifier(PkceCodeVerifier::new(errand.verifier.clone()))
            .request_async(&web)
            .await
            .map_err(|error| of_token(&error))?;
        let nonce = Nonce::new(errand.nonce.clone());
        let (client, claims) = match verified(&client, &metadata, &tokens, &nonce) {
            // It has a new key since.
            Err(OidcError::Untrue(UNKNOWN_KEY)) => {
                let metadata = self.metadata(AGAIN).await?;
                let client = self.client(&metadata, &errand.redirect)?;
                let claims = verified(&client, &metadata, &tokens, &nonce)?;
                (client, claims)
            }
            other => (client, other?),
        };
        let mut said = to_map(&claims)?;
        if let Ok(request) = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone())) {
            let more: UserInfoClaims<Claims, CoreGenderClaim> = request.request_async(&web).await.map_err(|error| {
                tracing::warn!(provider = self.id(), %error, "a provider does not say more of somebody");
                OidcError::Broken
            })?;
            for (name, value) in to_map(&more)? {
                // What is signed counts.
                said.entry(name).or_insert(value);
            }
        }
        Ok(self.vouched(&said, claims.subject().as_str()))
    }

    fn vouched(&self, claims: &Map<String, Value>, subject: &str) -> Vouched {
        let said = Said { claims, ignores_case: false };
        let vouched = Vouched {
            provider: self.settings.id.clone(),
            subject: subject.to_owned(),
            name: said.first(&self.settings.name_claim),
            full_name: said.first("name"),
            email: said.first("email"),
            municipality: None,
            dependency: String::new(),
            grants: Vec::new(),
            is_admitted: false,
        };
        self.mapping.apply(&said, vouched)
    }

    /// Where the browser is sent to end what it has at the provider, and then
    /// back to `home`; none where the provider does not know how, or is away.
    ///
    /// By the client's id and not by the ID token (OpenID Connect RP-Initiated
    /// Logout 1.0, 2): so no token with a person's data is kept, or in an address.
    pub async fn end_session(&self, home: String) -> Option<Url> {
        let metadata = self.metadata(STALE).await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(home).ok()?);
        Some(request.http_get_url())
    }

    /// What the provider says of itself, not older than that as far as it can
    /// be asked. Whoever waits for it asks once.
    async fn metadata(&self, oldest: Duration) -> Result<Arc<ProviderMetadataWithLogout>, OidcError> {
        let mut known = self.found.lock().await;
        let age = known.found.as_ref().map(|found| found.at.elapsed());
        if let (Some(found), Some(age)) = (&known.found, age)
            && age < oldest
        {
            return Ok(Arc::clone(&found.metadata));
        }
        if let Some((at, error)) = &known.failed
            && at.elapsed() < FAILED
        {
            return known.within(STALE).ok_or_else(|| error.clone());
        }
        // As it was written: an issuer is compared letter by letter.
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|_| OidcError::Broken)?;
        let web = self.web().map_err(|error| misconfigured(&error))?;
        match ProviderMetadataWithLogout::discover_async(issuer, &web).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.found = Some(Found { metadata: Arc::clone(&metadata), at: Instant::now() });
                known.failed = None;
                Ok(metadata)
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(provider = self.id(), %error, cause, "an identity provider cannot be discovered");
                let error = match error {
                    DiscoveryError::Request(WebError::Request(_)) => OidcError::Away,
                    DiscoveryError::Response(status, ..) if status.is_server_error() => OidcError::Away,
                    _ => OidcError::Broken,
                };
                known.failed = Some((Instant::now(), error.clone()));
                known.within(STALE).ok_or(error)
            }
        }
    }

    fn client(&self, metadata: &ProviderMetadataWithLogout, redirect: &str) -> Result<OwnClient, OidcError> {
        let secret = self.secret().map_err(|error| misconfigured(&error))?;
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| OidcError::Broken)?;
        let id = ClientId::new(self.settings.client_id.clone());
        let client = Client::from_provider_metadata(metadata.clone(), id, secret).set_redirect_uri(redirect);
        // Unless the provider says otherwise, it takes the secret in a header.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method: &CoreClientAuthMethod| methods.is_none_or(|methods| methods.contains(method));
        let in_body =
            !takes(&CoreClientAuthMethod::ClientSecretBasic) && takes(&CoreClientAuthMethod::ClientSecretPost);
        Ok(if in_body { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    fn secret(&self) -> Result<Option<ClientSecret>, IdentityError> {
        let OidcSettings { id, client_secret_file, client_secret_env, .. } = &self.settings;
        let secret = identity_secret(id, client_secret_file.as_deref(), client_secret_env.as_deref())?;
        Ok(secret.map(|secret| ClientSecret::new(secret.expose().to_owned())))
    }

    fn web(&self) -> Result<Web, IdentityError> {
        if let Some(web) = self.web.get() {
            return Ok(web.clone());
        }
        let id = &self.settings.id;
        let tls = trust::client_config(id, self.settings.ca_file.as_deref())?;
        let web = Web::new(&tls).map_err(|error| IdentityError::Tls { id: id.clone(), reason: error.to_string() })?;
        Ok(self.web.get_or_init(|| web).clone())
    }
}

/// The server was started with what could be read then.
fn misconfigured(error: &IdentityError) -> OidcError {
    tracing::error!(%error, "an identity provider cannot be used");
    OidcError::Away
}

const UNKNOWN_KEY: &str = "its key is none of the provider's";

/// The claims of the ID token, if it is the provider's, for us, of this login,
/// and of now.
fn verified(
    client: &OwnClient,
    metadata: &ProviderMetadataWithLogout,
    tokens: &Tokens,
    nonce: &Nonce,
) -> Result<IdTokenClaims<Claims, CoreGenderClaim>, OidcError> {
    let token = tokens.extra_fields().id_token().ok_or(OidcError::Untrue("there is none"))?;
    let offered = metadata.id_token_signing_alg_values_supported();
    let algorithms: Vec<_> = ALGORITHMS.into_iter().filter(|algorithm| offered.contains(algorithm)).collect();
    let verifier = client.id_token_verifier().set_allowed_algs(algorithms);
    let claims = token.claims(&verifier, nonce).map_err(|error| OidcError::Untrue(reason(&error)))?;
    if let Some(expected) = claims.access_token_hash() {
        let hash = || {
            let (algorithm, key) = (token.signing_alg().ok()?, token.signing_key(&verifier).ok()?);
            AccessTokenHash::from_token(tokens.access_token(), algorithm, key).ok()
        };
        if hash().as_ref() != Some(expected) {
            return Err(OidcError::Untrue("it is of another access token"));
        }
    }
    Ok(claims.clone())
}

/// In our words: the library's would show what is of the person.
fn reason(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "it has expired",
        ClaimsVerificationError::InvalidAudience(_) => "it is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "it is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "it is of another login",
        ClaimsVerificationError::InvalidSubject(_) => "it is of another person",
        ClaimsVerificationError::SignatureVerification(cause) => match cause {
            SignatureVerificationError::DisallowedAlg(_) => "it is not signed, or not in a way that is taken",
            SignatureVerificationError::NoMatchingKey => UNKNOWN_KEY,
            _ => "its signature is not the provider's",
        },
        _ => "it is not as the standard has it",
    }
}

fn of_token<T: openidconnect::ErrorResponse>(error: &RequestTokenError<WebError, T>) -> OidcError {
    tracing::warn!(%error, "an identity provider gave no tokens");
    match error {
        RequestTokenError::ServerResponse(_) => OidcError::Refused("used, too old, or another's"),
        RequestTokenError::Request(WebError::Request(_)) => OidcError::Away,
        RequestTokenError::Request(_) | RequestTokenError::Other(_) | RequestTokenError::Parse(..) => OidcError::Broken,
    }
}

/// Claims, by name.
fn to_map(claims: &impl Serialize) -> Result<Map<String, Value>, OidcError> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(OidcError::Broken),
    }
}
