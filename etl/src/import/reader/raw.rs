//! What the `gdal` crate does not offer: a few calls into GDAL itself, and
//! its messages.
#![expect(unsafe_code, reason = "the crate has no safe form of these calls; each is one call on a handle it lends")]

use std::sync::Mutex;

use gdal::errors::CplErrType;
use gdal::vector::{Defn, Feature, Geometry};

/// What a field holds beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subtype {
    None,
    Boolean,
    Json,
    Uuid,
}

/// The subtype of the field at `index`, which must be one of the definition's.
pub(super) fn subtype(definition: &Defn, index: usize) -> Subtype {
    let Ok(index) = i32::try_from(index) else { return Subtype::None };
    // SAFETY: the definition lends a live handle; GDAL answers null for an
    // index out of range, which is checked before use.
    let subtype = unsafe {
        let field = gdal_sys::OGR_FD_GetFieldDefn(definition.c_defn(), index);
        if field.is_null() { gdal_sys::OGRFieldSubType::OFSTNone } else { gdal_sys::OGR_Fld_GetSubType(field) }
    };
    match subtype {
        gdal_sys::OGRFieldSubType::OFSTBoolean => Subtype::Boolean,
        gdal_sys::OGRFieldSubType::OFSTJSON => Subtype::Json,
        gdal_sys::OGRFieldSubType::OFSTUUID => Subtype::Uuid,
        _ => Subtype::None,
    }
}

/// Whether the feature has a value there. The crate takes a field that was
/// never set (a property that a GeoJSON feature lacks) for a zero.
pub(super) fn has_value(feature: &Feature<'_>, index: usize) -> bool {
    let Ok(index) = i32::try_from(index) else { return false };
    // SAFETY: the feature lends a live handle; GDAL checks the index.
    unsafe { gdal_sys::OGR_F_IsFieldSetAndNotNull(feature.c_feature(), index) != 0 }
}

/// Whether there is a geometry behind the crate's form of it.
pub(super) fn is_there(geometry: &Geometry) -> bool {
    // SAFETY: the handle is looked at, not used; the crate sets it before it
    // lends the geometry.
    geometry.has_gdal_ptr() && unsafe { !geometry.c_geometry().is_null() }
}

/// The curves of a geometry as lines, at GDAL's default of 4 degrees a step.
pub(super) fn linearised(geometry: &Geometry) -> Option<Vec<u8>> {
    // SAFETY: the geometry lends a live handle; the new one is ours, is
    // checked for null, read within this function and destroyed once.
    unsafe {
        let linear = gdal_sys::OGR_G_GetLinearGeometry(geometry.c_geometry(), 0.0, std::ptr::null_mut());
        if linear.is_null() {
            return None;
        }
        let borrowed = Geometry::lazy_feature_geometry();
        borrowed.set_c_geometry(linear);
        let wkb = borrowed.iso_wkb().ok();
        gdal_sys::OGR_G_DestroyGeometry(linear);
        wkb
    }
}

static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Collects GDAL's messages instead of printing them.
pub(super) fn collect_errors() {
    gdal::config::set_error_handler(|severity, _, message| {
        if severity == CplErrType::Fatal {
            eprintln!("{message}");
        }
        if matches!(severity, CplErrType::Warning | CplErrType::Failure)
            && let Ok(mut errors) = ERRORS.lock()
            && errors.len() < 100
        {
            let severity = if severity == CplErrType::Failure { FAILURE } else { "" };
            errors.push(format!("{severity}{message}"));
        }
    });
}

/// Marks a message that is more than a warning.
const FAILURE: &str = "\u{1}";

/// The messages since the last call.
pub(super) fn take_errors() -> Vec<String> {
    let messages = ERRORS.lock().map(|mut errors| std::mem::take(&mut *errors)).unwrap_or_default();
    messages.into_iter().map(|message| message.trim_start_matches(FAILURE).to_owned()).collect()
}

/// The failures (not the warnings) since the last call.
pub(super) fn take_failures() -> Vec<String> {
    let messages = ERRORS.lock().map(|mut errors| std::mem::take(&mut *errors)).unwrap_or_default();
    messages.into_iter().filter_map(|message| message.strip_prefix(FAILURE).map(str::to_owned)).collect()
}
