//! Secrets that we give out: a session's, a key's, a link's.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sha2::{Digest as _, Sha256};

/// 256 random bits, as 43 characters of base64url. Only its digest is kept
/// here: what somebody reads from the database opens nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The SHA-256 of a [`Token`]: all of it is random, so that no slower hash is
/// needed.
pub(crate) type Digest = [u8; 32];

impl Token {
    /// A new one, from the system's generator of random numbers.
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// As somebody gave it.
    pub fn given(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Its characters, to be given to whom it is for, once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What a page of ours can show that another site's cannot know: made of
    /// the token, which it does not tell.
    pub fn csrf(&self) -> String {
        let mut digest = Sha256::new();
        digest.update("lindero csrf ");
        digest.update(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }

    pub(crate) fn digest(&self) -> Digest {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_are_not_shown() {
        let (one, other) = (Token::new(), Token::new());
        assert_ne!(one, other);
        assert_eq!((one.expose().len(), format!("{one:?}").as_str()), (43, "[hidden]"));
        assert_eq!(Token::given(one.expose()).digest(), one.digest());
        assert_ne!(one.digest(), other.digest());
    }
}
