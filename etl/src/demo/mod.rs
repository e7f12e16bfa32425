//! The demonstration city: a municipality's layers, generated.
//!
//! Everything follows from a seed and the city's profile: the valley's axis
//! gives a frame in which avenues, barrios, streets, blocks and lots are laid
//! out, then bent onto the map; land outside is divided into veredas and
//! parcels; terrain and water give the zones of hazard. All coordinates are
//! easting and northing in metres, EPSG:9377. No row is a real person, parcel
//! or business; the names of places are public knowledge.

mod cadastre;
mod contour;
mod definitions;
mod dice;
mod layout;
mod mesh;
mod network;
mod noise;
mod parcel;
mod plane;
mod profile;
mod records;
mod roads;
mod rural;
mod streets;
mod table;
mod terrain;
#[cfg(test)]
mod tests;
mod town;
mod urban;
mod valley;
mod water;
mod writer;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use layers::{LayerDefinition, LayerId};
use thiserror::Error;

use profile::Profile;

/// Says what is being done, how much of it is done, and of how much.
type Progress<'a> = &'a mut dyn FnMut(&str, usize, usize);

/// A city that can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum City {
    /// Ibagué, Tolima.
    Ibague,
    /// San José de Cúcuta, Norte de Santander.
    Cucuta,
}

/// The text names no city.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no demonstration city {0:?}: use ibague or cucuta")]
pub struct UnknownCity(String);

impl FromStr for City {
    type Err = UnknownCity;

    fn from_str(text: &str) -> Result<Self, UnknownCity> {
        match text {
            "ibague" => Ok(Self::Ibague),
            "cucuta" => Ok(Self::Cucuta),
            _ => Err(UnknownCity(text.to_owned())),
        }
    }
}

impl City {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ibague, Self::Cucuta];

    /// Its DIVIPOLA code: `73001`.
    pub fn code(self) -> &'static str {
        Profile::of(self).code
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Profile::of(self).name
    }

    /// Its department.
    pub fn department(self) -> &'static str {
        Profile::of(self).department
    }

    /// About how many people live there.
    pub fn inhabitants(self) -> u32 {
        Profile::of(self).inhabitants
    }

    /// The municipality's extent: west, south, east, north in degrees (CRS84).
    pub fn extent(self) -> [f64; 4] {
        Profile::of(self).extent
    }
}

/// How much of a city.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// About 20 000 predios: lots as they are in the centre, great ones elsewhere.
    Small,
    /// About 200 000 predios.
    Full,
}

/// The text names no size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no size {0:?}: use small or full")]
pub struct UnknownSize(String);

impl FromStr for Size {
    type Err = UnknownSize;

    fn from_str(text: &str) -> Result<Self, UnknownSize> {
        match text {
            "small" => Ok(Self::Small),
            "full" => Ok(Self::Full),
            _ => Err(UnknownSize(text.to_owned())),
        }
    }
}

/// A collection that was written, ready to be imported.
#[derive(Debug, Clone)]
pub struct DemoLayer {
    /// The collection's id.
    pub id: LayerId,
    /// What it is: titles, attributes, sources.
    pub definition: LayerDefinition,
    /// The GeoPackage; the definition lies beside it as `<id>.toml`.
    pub file: PathBuf,
    /// The table in it.
    pub table: String,
}

/// Why a city could not be generated.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The folder or a file in it cannot be written.
    #[error("{folder} cannot be written: {source}; choose another folder or free some space")]
    Folder {
        /// The folder or file.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// GDAL could not write a GeoPackage.
    #[error("{file} could not be written: {source}; check that GDAL has the GPKG driver and that there is space")]
    Write {
        /// The file.
        file: PathBuf,
        /// What GDAL said.
        source: gdal::errors::GdalError,
    },
    /// A definition that comes with the program is wrong: a defect of ours.
    #[error("the definition of {id} is wrong: {reason}")]
    Definition {
        /// The collection.
        id: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// Generates a city into `folder`, which is made if need be: a GeoPackage and
/// a definition for each collection, in the order in which they are returned.
/// The same arguments give the same features. `progress` hears the stage, the
/// steps done and the steps there are.
pub fn generate(
    city: City,
    size: Size,
    seed: u64,
    folder: &Path,
    progress: &mut dyn FnMut(&str, usize, usize),
) -> Result<Vec<DemoLayer>, DemoError> {
    std::fs::create_dir_all(folder).map_err(|source| DemoError::Folder { folder: folder.to_owned(), source })?;
    let mut written = Vec::new();
    with_world(city, size, seed, progress, |world, progress| {
        records::each(world, progress, |table| {
            let (definition, kind) = definitions::of(table.id, city)?;
            let file = folder.join(format!("{}.gpkg", table.id));
            writer::write(&file, &definition, kind, &table)?;
            let beside = folder.join(format!("{}.toml", table.id));
            let text = toml::to_string_pretty(&definition)
                .map_err(|error| DemoError::Definition { id: table.id, reason: error.to_string() })?;
            std::fs::write(&beside, text).map_err(|source| DemoError::Folder { folder: beside, source })?;
            let id = table.id.parse().map_err(|error: layers::InvalidIdentifier| DemoError::Definition {
                id: table.id,
                reason: error.to_string(),
            })?;
            written.push(DemoLayer { id, definition, file, table: table.id.to_owned() });
            Ok(())
        })
    })?;
    Ok(written)
}

/// Generates a city in memory and hands it to `use_it`.
fn with_world<T>(
    city: City,
    size: Size,
    seed: u64,
    progress: Progress<'_>,
    use_it: impl FnOnce(&records::World<'_>, Progress<'_>) -> T,
) -> T {
    const STAGES: usize = 6;
    let profile = Profile::of(city);
    let ground = town::Ground::new(profile, seed);
    let parcels = if size == Size::Full { 6000 } else { 900 };
    let (mut veredas, limit) = rural::divide(profile, city, ground.noise, parcels, seed);
    progress("terrain", 1, STAGES);
    let courses = water::courses(profile, ground.noise, &limit);
    progress("terrain", 2, STAGES);
    let town = town::lay_out(&ground, &courses, seed);
    progress("terrain", 3, STAGES);
    let zones = terrain::zones(&ground, &courses, &town.perimeter, &limit);
    progress("terrain", 4, STAGES);
    let urban = urban::draw(&ground, &town, &courses, seed, progress);
    let corregimientos = rural::corregimientos(profile, &veredas, &town.perimeter);
    rural::leave_out(&mut veredas, &town.perimeter);
    progress("terrain", 5, STAGES);
    let roads = roads::lay_out(profile, &limit, &town.perimeter, ground.noise, &urban.segments, &veredas);
    progress("terrain", STAGES, STAGES);
    let mut predios = cadastre::urban_predios(&ground, &town, &urban, size, seed, progress);
    let in_city = predios.len();
    predios.extend(cadastre::rural_predios(&ground, &veredas, seed));
    let world = records::World {
        ground: &ground,
        size,
        seed,
        limit: &limit,
        town: &town,
        urban: &urban,
        courses: &courses,
        veredas: &veredas,
        corregimientos: &corregimientos,
        roads: &roads,
        predios: &predios,
        in_city,
        zones: &zones,
    };
    use_it(&world, progress)
}
