//! The land outside the city: veredas, their parcels, corregimientos, and the
//! limit of the municipality. All are drawn on a plain plane with straight
//! lines, then bent together, so that borders wind and still meet.

use geo::{Area, BooleanOps, BoundingRect, Coord, Intersects, MultiPolygon, Polygon, unary_union};

use super::City;
use super::dice::Dice;
use super::mesh::bend_together;
use super::noise::Noise;
use super::plane::{
    self, along, between, direction, distance, greatest, middle, open_ring, oriented_box, polygon, ring_area, split,
    turned,
};
use super::profile::Profile;

/// A vereda.
pub(super) struct Vereda {
    pub(super) name: String,
    /// Index into the profile's corregimientos.
    pub(super) corregimiento: usize,
    pub(super) shape: MultiPolygon,
    pub(super) parcels: Vec<Polygon>,
}

/// The municipality divided, city and all, into veredas and about `parcels`
/// parcels; and its limit, which they fill.
pub(super) fn divide(
    profile: &Profile,
    city: City,
    noise: Noise,
    parcels: usize,
    seed: u64,
) -> (Vec<Vereda>, MultiPolygon) {
    let mut dice = Dice::new(seed, "veredas");
    let mut limit = plane::smooth_ring(&profile.line(profile.limit), 900.0);
    if ring_area(&limit) < 0.0 {
        limit.reverse();
    }
    let seats = vereda_seats(profile, &limit, &mut dice);
    let cells = nearest_cells(&seats.iter().map(|seat| seat.1).collect::<Vec<_>>(), &limit);
    let total: f64 = cells.iter().flatten().map(|ring| ring_area(ring)).sum();
    let least = total / parcels as f64;
    let mut rings: Vec<Vec<Coord>> = Vec::new();
    let mut owner: Vec<usize> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        for ring in cell {
            for parcel in fields(ring, least, &mut dice) {
                rings.push(parcel);
                owner.push(index);
            }
        }
    }
    let bent = bend_together(&rings, 60.0, |p| winding(noise, p));
    let limit = unary_union(&bent);
    let mut veredas: Vec<Vereda> = seats
        .into_iter()
        .map(|(corregimiento, _)| Vereda {
            name: String::new(),
            corregimiento,
            shape: MultiPolygon::new(Vec::new()),
            parcels: Vec::new(),
        })
        .collect();
    for (shape, index) in bent.into_iter().zip(owner) {
        veredas[index].parcels.push(shape);
    }
    for vereda in &mut veredas {
        vereda.shape = unary_union(&vereda.parcels);
    }
    name(city, profile, &mut veredas, &mut dice);
    (veredas, limit)
}

/// The corregimientos: the union of their veredas, without the city.
pub(super) fn corregimientos(profile: &Profile, veredas: &[Vereda], perimeter: &MultiPolygon) -> Vec<MultiPolygon> {
    (0..profile.corregimientos.len())
        .map(|index| {
            let whole = unary_union(veredas.iter().filter(|v| v.corregimiento == index).flat_map(|v| &v.parcels));
            whole.difference(perimeter)
        })
        .collect()
}

/// Takes the city out of the veredas and their parcels.
pub(super) fn leave_out(veredas: &mut Vec<Vereda>, perimeter: &MultiPolygon) {
    for vereda in veredas.iter_mut() {
        if !vereda.shape.intersects(perimeter) {
            continue;
        }
        vereda.shape = vereda.shape.difference(perimeter);
        vereda.shape.0.retain(|part| part.unsigned_area() > 400.0);
        let parcels = std::mem::take(&mut vereda.parcels);
        for parcel in parcels {
            if parcel.intersects(perimeter) {
                let rest = parcel.difference(perimeter);
                vereda.parcels.extend(rest.0.into_iter().filter(|part| part.unsigned_area() > 400.0));
            } else {
                vereda.parcels.push(parcel);
            }
        }
    }
    veredas.retain(|vereda| !vereda.parcels.is_empty());
}

/// Straight borders made to wind.
fn winding(noise: Noise, point: Coord) -> Coord {
    let wide = noise.displacement(point, 5200.0, 2, 780.0);
    let narrow = noise.displacement(along(point, wide, 0.3), 1100.0, 3, 140.0);
    along(along(point, wide, 1.0), narrow, 1.0)
}

/// Where veredas lie: around each corregimiento's seat, not too near to each other.
fn vereda_seats(profile: &Profile, limit: &[Coord], dice: &mut Dice) -> Vec<(usize, Coord)> {
    let seats: Vec<Coord> = profile.corregimientos.iter().map(|(_, place)| profile.metres(*place)).collect();
    let flat = polygon(limit);
    let Some(area) = flat.bounding_rect() else { return Vec::new() };
    let mut found: Vec<(usize, Coord)> = seats.iter().copied().enumerate().collect();
    let wanted = profile.corregimientos.len() * 8;
    for _ in 0..wanted * 60 {
        if found.len() >= wanted {
            break;
        }
        let place = Coord { x: dice.between(area.min().x, area.max().x), y: dice.between(area.min().y, area.max().y) };
        if plane::holds(&flat, place) && found.iter().all(|(_, other)| distance(*other, place) > 1700.0) {
            let nearest =
                (0..seats.len()).min_by(|a, b| distance(seats[*a], place).total_cmp(&distance(seats[*b], place)));
            found.push((nearest.unwrap_or(0), place));
        }
    }
    found
}

/// For each seat the part of the area that is nearer to it than to any other.
fn nearest_cells(seats: &[Coord], area: &[Coord]) -> Vec<Vec<Vec<Coord>>> {
    seats
        .iter()
        .enumerate()
        .map(|(index, seat)| {
            let mut others: Vec<usize> = (0..seats.len()).filter(|other| *other != index).collect();
            others.sort_by(|a, b| distance(*seat, seats[*a]).total_cmp(&distance(*seat, seats[*b])));
            let mut parts = vec![area.to_vec()];
            for other in others.into_iter().take(40) {
                // The seat lies left of the bisector.
                let heading = turned(direction(*seat, seats[other]), std::f64::consts::FRAC_PI_2);
                let centre = between(*seat, seats[other], 0.5);
                parts = parts.into_iter().flat_map(|part| split(&part, centre, heading).left).collect();
            }
            parts
        })
        .collect()
}

/// Cuts a ring into fields of about `size`, some much greater than others.
fn fields(ring: &[Coord], size: f64, dice: &mut Dice) -> Vec<Vec<Coord>> {
    let mut open = vec![ring.to_vec()];
    let mut done = Vec::new();
    while let Some(part) = open.pop() {
        let target = size * dice.weighted(&[(0.45, 3.0), (0.9, 4.0), (1.9, 3.0), (4.5, 1.0)]);
        if ring_area(&part) < target {
            done.push(part);
            continue;
        }
        let (centre, axis, length, _) = oriented_box(&part);
        let place = along(centre, axis, length * dice.between(-0.17, 0.17));
        let heading = turned(axis, std::f64::consts::FRAC_PI_2 + dice.between(-0.35, 0.35));
        let halves = split(&part, place, heading);
        let parts: Vec<_> = halves.left.into_iter().chain(halves.right).collect();
        if parts.iter().any(|part| ring_area(part) < 0.04 * size) || parts.len() < 2 {
            done.push(part);
        } else {
            open.extend(parts);
        }
    }
    done
}

/// Names veredas: the seat's as its corregimiento, others from common names.
fn name(city: City, profile: &Profile, veredas: &mut [Vereda], dice: &mut Dice) {
    const COMMON: [&str; 48] = [
        "La Esperanza",
        "El Porvenir",
        "La Cascada",
        "San Isidro",
        "La Palmilla",
        "El Cural",
        "La Montaña",
        "Santa Rita",
        "El Moral",
        "La Linda",
        "Alto de la Cruz",
        "El Retiro",
        "La Pluma",
        "San Simón",
        "Los Cauchos",
        "La Loma",
        "El Gallo",
        "Peñaranda",
        "La Cueva",
        "Las Amarillas",
        "El Salitre",
        "La Victoria",
        "San Rafael",
        "El Secreto",
        "La Maria",
        "Ancón",
        "El Ecuador",
        "Potrero Grande",
        "La Estrella",
        "Rodeíto",
        "Las Delicias",
        "Aguas Claras",
        "El Colegio",
        "Bellavista",
        "La Helena",
        "Honduras",
        "Charco Rico",
        "El Jaguo",
        "Alto del Combeima",
        "San Cristóbal",
        "La Isabela",
        "El Guaico",
        "La Trinidad",
        "Los Pastos",
        "Cañadas",
        "El Brillante",
        "La Laguna",
        "Puerto Perú",
    ];
    const FRONTIER: [&str; 48] = [
        "La Punta",
        "El Prado",
        "Minuto de Dios",
        "Agua Blanca",
        "La Garita",
        "El Edén",
        "Nuevo Madrid",
        "La China",
        "Patillales",
        "San Agustín de los Pozos",
        "Londres",
        "El Suspiro",
        "Santa Cecilia",
        "Vigilancia",
        "La Sabana",
        "El Tablazo",
        "Ayacucho",
        "La Llana",
        "Restauración",
        "El Plomo",
        "La Tigra",
        "Puerto Nuevo",
        "Camilandia",
        "La Gritona",
        "San José",
        "El Tamarindo",
        "Las Vacas",
        "Blanquizal",
        "El Limoncito",
        "Arrayán",
        "Nueva Frontera",
        "La Unión",
        "Santa Rosa",
        "El Cerrito",
        "Los Negros",
        "Alto Viento",
        "La Nueva",
        "El Porvenir",
        "Bocas del Pamplonita",
        "La Esmeralda",
        "El Oso",
        "Peracos",
        "La Victoria",
        "Tabiro",
        "El Diviso",
        "San Miguel",
        "Cuperena",
        "Las Indias",
    ];
    let list = if city == City::Ibague { COMMON } else { FRONTIER };
    let mut names: Vec<String> = list.map(str::to_owned).to_vec();
    let mut parts = ["Parte Alta", "Parte Baja", "Centro"].into_iter();
    let mut seen = vec![false; profile.corregimientos.len()];
    for (index, vereda) in veredas.iter_mut().enumerate() {
        let home = profile.corregimientos[vereda.corregimiento].0;
        if !seen[vereda.corregimiento] {
            seen[vereda.corregimiento] = true;
            home.clone_into(&mut vereda.name);
            continue;
        }
        if names.is_empty()
            && let Some(part) = parts.next()
        {
            names = list.iter().map(|name| format!("{name} {part}")).collect();
        }
        vereda.name = if names.is_empty() {
            format!("{home} sector {}", index + 1)
        } else {
            let pick = dice.index(names.len());
            names.swap_remove(pick)
        };
    }
    disambiguate(veredas, profile);
}

/// Two veredas of one name are told apart by their corregimiento.
fn disambiguate(veredas: &mut [Vereda], profile: &Profile) {
    for index in 1..veredas.len() {
        let (before, rest) = veredas.split_at_mut(index);
        let vereda = &mut rest[0];
        if before.iter().any(|other| other.name == vereda.name) {
            vereda.name = format!("{} ({})", vereda.name, profile.corregimientos[vereda.corregimiento].0);
        }
    }
}

/// A point well inside a shape.
pub(super) fn inside_point(shape: &MultiPolygon) -> Coord {
    use geo::InteriorPoint;
    shape.interior_point().map_or_else(
        || greatest(shape.clone()).map_or_else(Coord::default, |part| middle(&open_ring(&part))),
        Coord::from,
    )
}
