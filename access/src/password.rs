//! Passwords: what they must be, and how they are kept.

use std::fmt;
use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use thiserror::Error;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// The fewest characters (NIST SP 800-63B-4 asks for 15 where a password is
/// all that is asked for, 8 where it is not; what is common is refused below).
pub const SHORTEST: usize = 12;
/// The most: more costs time and adds nothing.
pub const LONGEST: usize = 256;
/// As many guesses, as a power of ten, must not find it.
const GUESSES_LOG10: f64 = 10.0;

/// Hashing takes 19 MiB and some hundredths of a second: only so many at once,
/// whoever asks.
static TURNS: Semaphore = Semaphore::const_new(4);

/// A password's hash when there is none: to look whether a password is right
/// takes as long for an account that does not exist.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash("the password of no account").unwrap_or_default());

/// A password that was not hashed yet. Never shown.
#[derive(Clone)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Why a password cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WeakPassword {
    /// It has too few characters.
    #[error("a password has at least {SHORTEST} characters")]
    Short,
    /// It has too many.
    #[error("a password has at most {LONGEST} characters")]
    Long,
    /// It is among those that are tried first.
    #[error("this password is easily guessed: it is common, or made of your name, dates, rows of keys or repetitions")]
    Common,
}

impl Password {
    /// As somebody typed it. Two ways to write one letter are the same letter
    /// (NFKC), as keyboards and systems differ in it.
    pub fn typed(text: &str) -> Self {
        Self(text.nfkc().collect())
    }

    /// The password itself, for a directory, which looks at it.
    pub fn as_typed(&self) -> &str {
        &self.0
    }

    /// Whether an account of these names may have it.
    pub fn check(&self, names: &[&str]) -> Result<(), WeakPassword> {
        let length = self.0.chars().count();
        if length < SHORTEST {
            return Err(WeakPassword::Short);
        }
        if length > LONGEST {
            return Err(WeakPassword::Long);
        }
        // It knows some 90 000 common passwords, names and words, and what
        // people make of them.
        let known: Vec<&str> = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric())).collect();
        if zxcvbn::zxcvbn(&self.0, &known).guesses_log10() < GUESSES_LOG10 {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }

    /// Its hash: argon2id with a salt of its own, as a PHC string.
    pub(crate) async fn hash(self) -> Result<String, HashError> {
        in_turn(move || hash(&self.0)).await?
    }

    /// Whether it is the one of that hash; of none, it is not, and that takes
    /// as long.
    pub(crate) async fn matches(self, kept: Option<String>) -> Result<bool, HashError> {
        in_turn(move || {
            let is_there = kept.is_some();
            let kept = kept.unwrap_or_else(|| NOBODYS.clone());
            let hash = PasswordHash::new(&kept).map_err(|_| HashError)?;
            Ok(Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok() && is_there)
        })
        .await?
    }
}

/// A password could not be hashed, or a hash not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a password's hash cannot be made or read")]
pub struct HashError;

fn hash(password: &str) -> Result<String, HashError> {
    // OWASP's parameters: 19 MiB, two passes, one lane.
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| HashError)?;
    Ok(hash.to_string())
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
    let turn = TURNS.acquire().await.map_err(|_| HashError)?;
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| HashError);
    drop(turn);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let check = |text: &str| Password::typed(text).check(&["maria.lozano", "María Lozano"]);
        assert_eq!(check("corta"), Err(WeakPassword::Short));
        assert_eq!(check(&"x9 ".repeat(100)), Err(WeakPassword::Long));
        for common in
            ["password1234", "qwertyuiop12", "aaaaaaaaaaaaaaa", "maria.lozano1", "123456789012", "lozanolozano"]
        {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
        assert_eq!(check("ceiba violeta 41 nubes"), Ok(()));
    }

    #[tokio::test]
    async fn a_password_is_of_its_hash_alone() {
        let typed = |text: &str| Password::typed(text);
        let hash = typed("ceiba violeta 41 nubes").hash().await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(typed("ceiba violeta 41 nubes").matches(Some(hash.clone())).await.unwrap());
        assert!(!typed("ceiba violeta 42 nubes").matches(Some(hash)).await.unwrap());
        assert!(!typed("the password of no account").matches(None).await.unwrap());
        // An accent as a letter of its own or as part of one.
        let hash = typed("canci\u{f3}n de lluvia 7").hash().await.unwrap();
        assert!(typed("cancio\u{301}n de lluvia 7").matches(Some(hash)).await.unwrap());
    }
}
