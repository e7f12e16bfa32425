//! Asking an identity provider by HTTP.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use thiserror::Error;

/// How long a provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// The largest answer that is read.
const MOST: usize = 1024 * 1024;

/// A client that follows no redirect: what a provider says is at the addresses
/// of its discovery document, and nowhere else.
#[derive(Debug, Clone)]
pub(super) struct Web(reqwest::Client);

/// An identity provider did not answer, or answered what cannot be.
#[derive(Debug, Error)]
pub(super) enum WebError {
    /// It did not answer.
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    /// Its answer is too large.
    #[error("the answer has more than {MOST} bytes")]
    TooLarge,
    /// Its answer cannot be put together.
    #[error(transparent)]
    Http(#[from] openidconnect::http::Error),
}

impl Web {
    pub(super) fn new(tls: &Arc<ClientConfig>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(tls))
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("lindero/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    async fn ask(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, WebError> {
        let mut answer = client.execute(request.try_into()?).await?;
        let mut response = openidconnect::http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MOST {
                return Err(WebError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(response.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Web {
    type Error = WebError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, WebError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(Self::ask(self.0.clone(), request))
    }
}
