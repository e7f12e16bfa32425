//! What must hold of a whole city.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use gdal::vector::LayerAccess;
use geo::{Area, BooleanOps, Geometry, Intersects, MultiPolygon, Point, Polygon, Validation};
use geozero::{CoordDimensions, ToWkb};
use layers::{AttributeType, Domain, GeometryType};

use super::table::{Cell, Row, Table};
use super::*;

type Tables = BTreeMap<&'static str, Table>;

/// A city's tables, generated once for all tests.
fn tables(city: City) -> &'static Tables {
    static CITIES: [OnceLock<Tables>; 2] = [OnceLock::new(), OnceLock::new()];
    CITIES[usize::from(city == City::Cucuta)].get_or_init(|| {
        let mut tables = BTreeMap::new();
        with_world(city, Size::Small, 1, &mut |_, _, _| (), |world, progress| {
            assert!(network::Graph::new(&world.urban.segments).connected_share() > 0.95, "the streets fall apart");
            records::each::<DemoError>(world, progress, |table| {
                tables.insert(table.id, table);
                Ok(())
            })
        })
        .expect("generated");
        tables
    })
}

/// The place of an attribute in a collection's rows.
fn column(id: &'static str, name: &str) -> usize {
    let (definition, _) = definitions::of(id, City::Ibague).expect("defined");
    definition.attributes.iter().position(|attribute| attribute.name == name).expect("an attribute of that name")
}

fn text(row: &Row, column: usize) -> &str {
    match &row.cells[column] {
        Cell::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

fn parts(row: &Row) -> Vec<&Polygon> {
    match &row.geometry {
        Geometry::Polygon(polygon) => vec![polygon],
        Geometry::MultiPolygon(multi) => multi.0.iter().collect(),
        _ => Vec::new(),
    }
}

fn as_text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => Some(text.clone()),
        Cell::Whole(value) => Some(value.to_string()),
        Cell::Number(value) => Some(value.to_string()),
        Cell::Flag(value) => Some(value.to_string()),
        Cell::Day(day) => Some(day.to_string()),
    }
}

#[test]
fn every_value_is_what_its_definition_says() {
    for city in City::ALL {
        let tables = tables(city);
        assert_eq!(tables.len(), 30);
        for (id, table) in tables {
            let (definition, kind) = definitions::of(id, city).expect("defined");
            assert!(!table.rows.is_empty(), "{id} is empty");
            for attribute in &definition.attributes {
                assert!(
                    !attribute.title.es.is_empty() && !attribute.title.en.is_empty(),
                    "{id}.{} has no title",
                    attribute.name
                );
            }
            for row in &table.rows {
                assert_eq!(row.cells.len(), definition.attributes.len(), "{id}");
                assert_eq!(type_of(&row.geometry), kind, "{id}");
                for (cell, attribute) in row.cells.iter().zip(&definition.attributes) {
                    let place = format!("{id}.{}: {cell:?}", attribute.name);
                    let fits = match (cell, attribute.kind) {
                        (Cell::Null, _) => !attribute.required,
                        (Cell::Text(text), AttributeType::Text) => !text.is_empty(),
                        (Cell::Whole(_), AttributeType::Integer)
                        | (Cell::Flag(_), AttributeType::Boolean)
                        | (Cell::Day(_), AttributeType::Date) => true,
                        (Cell::Number(value), AttributeType::Number) => value.is_finite(),
                        _ => false,
                    };
                    assert!(fits, "{place}");
                    let (Some(value), Some(domain)) = (as_text(cell), &attribute.domain) else { continue };
                    let within = match domain {
                        Domain::Values(values) => values.iter().any(|known| known.value == value),
                        Domain::Range { min, max } => value.parse::<f64>().is_ok_and(|v| v >= *min && v <= *max),
                        // All patterns are a number of digits.
                        Domain::Pattern(pattern) => {
                            pattern == &format!("[0-9]{{{}}}", value.len()) && value.bytes().all(|b| b.is_ascii_digit())
                        }
                    };
                    assert!(within, "{place} is outside its domain");
                }
            }
            if let Some(key) = &definition.natural_key {
                let at = definition.attributes.iter().position(|a| a.name == *key).expect("the key");
                let keys: BTreeSet<_> = table.rows.iter().map(|row| as_text(&row.cells[at])).collect();
                assert_eq!(keys.len(), table.rows.len(), "{id}: keys repeat");
            }
        }
    }
}

fn type_of(geometry: &Geometry) -> GeometryType {
    match geometry {
        Geometry::Point(_) => GeometryType::Point,
        Geometry::LineString(_) => GeometryType::LineString,
        Geometry::Polygon(_) => GeometryType::Polygon,
        Geometry::MultiPolygon(_) => GeometryType::MultiPolygon,
        _ => GeometryType::Geometry,
    }
}

#[test]
fn every_geometry_is_valid() {
    for city in City::ALL {
        for (id, table) in tables(city) {
            for row in &table.rows {
                assert!(row.geometry.is_valid(), "{id} {:?}: {:?}", row.cells[0], row.geometry.validation_errors());
            }
        }
    }
}

#[test]
fn predios_fill_their_blocks_and_blocks_lie_in_their_comunas() {
    let (block, code) = (column("predios", "manzana"), column("manzanas", "codigo"));
    for city in City::ALL {
        let tables = tables(city);
        let mut lots: BTreeMap<&str, f64> = BTreeMap::new();
        for row in &tables["predios"].rows {
            if row.cells[block] != Cell::Null {
                *lots.entry(text(row, block)).or_default() += parts(row)[0].unsigned_area();
            }
        }
        let comunas: BTreeMap<_, _> =
            tables["comunas"].rows.iter().map(|row| (as_text(&row.cells[0]), &row.geometry)).collect();
        for row in &tables["manzanas"].rows {
            let shape = parts(row)[0];
            let sum = lots.get(text(row, code)).copied().unwrap_or_default();
            assert!((sum - shape.unsigned_area()).abs() < 0.01, "{}: {sum}", text(row, code));
            let comuna = comunas[&as_text(&row.cells[column("manzanas", "comuna")])];
            assert!(shape.exterior().coords().all(|p| comuna.intersects(&Point::from(*p))), "{}", text(row, code));
        }
    }
}

#[test]
fn predios_do_not_overlap() {
    let rows = &tables(City::Ibague)["predios"].rows;
    let shapes: Vec<&Polygon> = rows.iter().map(|row| parts(row)[0]).collect();
    let apart: f64 = shapes.iter().map(|shape| shape.unsigned_area()).sum();
    let together = geo::unary_union(shapes).unsigned_area();
    assert!((apart - together).abs() / apart < 1e-6, "{apart} {together}");
}

#[test]
fn all_lies_within_the_limit() {
    for city in City::ALL {
        let tables = tables(city);
        let Geometry::MultiPolygon(limit) = &tables["limite_municipal"].rows[0].geometry else {
            panic!("no multipolygon")
        };
        assert_eq!(limit.0.len(), 1);
        let area = |id: &str| tables[id].rows.iter().flat_map(parts).map(Area::unsigned_area).sum::<f64>();
        // The city and the land around it fill the municipality.
        let parts_of_it = area("comunas") + area("corregimientos");
        assert!((parts_of_it - limit.unsigned_area()).abs() < 500.0, "{parts_of_it} {}", limit.unsigned_area());
        assert!((area("veredas") - area("corregimientos")).abs() < 500.0 * 400.0, "veredas");
        for id in ["centros_poblados", "kvd", "pvd", "zonas_wifi", "instituciones_educativas", "sedes_salud"] {
            for row in &tables[id].rows {
                assert!(row.geometry.intersects(limit), "{id} {:?}", row.cells);
            }
        }
    }
}

#[test]
fn a_predios_number_says_where_it_lies() {
    let predios = &tables(City::Cucuta)["predios"].rows;
    let (block, comuna, condition) =
        (column("predios", "manzana"), column("predios", "comuna"), column("predios", "condicion"));
    for row in predios {
        let number = text(row, 0);
        assert!(number.starts_with("54001"));
        assert_eq!(&number[21..22], text(row, condition));
        assert_eq!(&number[22..], "00000000");
        match &row.cells[block] {
            Cell::Text(block) => {
                assert_eq!(&number[5..7], "01");
                assert_eq!(&number[..17], block);
                assert_eq!(number[9..11].parse::<i64>().ok().map(Cell::Whole).as_ref(), Some(&row.cells[comuna]));
            }
            _ => assert_eq!(&number[5..7], "00"),
        }
    }
}

#[test]
fn the_plans_facts_are_there() {
    let count = |city, id: &str| tables(city)[id].rows.len();
    let counted =
        |city| ["comunas", "corregimientos", "zonas_wifi", "pvd", "instituciones_educativas"].map(|id| count(city, id));
    assert_eq!(counted(City::Ibague)[..4], [13, 17, 48, 9]);
    assert_eq!(counted(City::Cucuta), [10, 10, 26, 6, 221]);
    let kiosks = &tables(City::Ibague)["kvd"].rows;
    assert_eq!(kiosks.len(), 16);
    let (name, kind, computers) = (column("kvd", "nombre"), column("kvd", "tipo"), column("kvd", "computadores"));
    for row in kiosks {
        let expected = BTreeMap::from([("A", 2), ("B", 4), ("C", 6)])[text(row, kind)];
        assert_eq!(row.cells[computers], Cell::Whole(expected), "{}", text(row, name));
    }
    for city in City::ALL {
        let predios = count(city, "predios");
        assert!((17_000..26_000).contains(&predios), "{predios} predios");
    }
}

#[test]
fn levels_of_hazard_are_apart_and_risk_lies_in_the_highest() {
    let (phenomenon, level) = (column("amenazas", "fenomeno"), column("amenazas", "nivel"));
    let tables = tables(City::Ibague);
    let zones = |wanted: &str, high: &str| -> MultiPolygon {
        let chosen =
            tables["amenazas"].rows.iter().filter(|row| text(row, phenomenon) == wanted && text(row, level) == high);
        MultiPolygon::new(chosen.flat_map(parts).cloned().collect())
    };
    for wanted in terrain::Phenomenon::ALL.map(terrain::Phenomenon::code) {
        let [high, medium, low] = ["alta", "media", "baja"].map(|level| zones(wanted, level));
        for (a, b) in [(&high, &medium), (&high, &low), (&medium, &low)] {
            assert!(!a.0.is_empty() && !b.0.is_empty(), "{wanted}");
            // Overlays snap to about a tenth of a millimetre over tens of kilometres of border.
            let common = a.intersection(b).unsigned_area();
            assert!(common < 60.0, "{wanted}: {common} m2 of two levels");
        }
        for row in &tables["riesgos"].rows {
            if text(row, column("riesgos", "fenomeno")) == wanted {
                let Geometry::MultiPolygon(shape) = &row.geometry else { panic!("no multipolygon") };
                assert!(shape.difference(&high).unsigned_area() < 1.0, "{}", text(row, 0));
            }
        }
    }
}

#[test]
fn written_twice_it_is_the_same_city() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut stages = BTreeSet::new();
    let layers = generate(City::Ibague, Size::Small, 1, folder.path(), &mut |stage, done, all| {
        assert!(done <= all);
        stages.insert(stage.to_owned());
    })
    .expect("generated");
    assert!(stages.contains("predios") && stages.contains("collections"));
    assert_eq!(layers.iter().map(|layer| layer.id.as_str()).collect::<Vec<_>>(), records::ids().collect::<Vec<_>>());
    for layer in layers {
        let beside = std::fs::read_to_string(layer.file.with_extension("toml")).expect("a definition");
        assert_eq!(LayerDefinition::from_toml(&beside).as_ref(), Ok(&layer.definition));
        let dataset = gdal::Dataset::open(&layer.file).expect("a GeoPackage");
        let mut table = dataset.layer_by_name(&layer.table).expect("the table");
        let reference = table.spatial_ref().expect("a CRS");
        assert_eq!(reference.auth_code().ok(), Some(9377));
        let rows = &tables(City::Ibague)[layer.id.as_str()].rows;
        assert_eq!(table.feature_count(), rows.len() as u64, "{}", layer.id);
        for (feature, row) in table.features().zip(rows) {
            let expected = row.geometry.to_wkb(CoordDimensions::xy()).expect("WKB");
            let found = feature.geometry().and_then(|geometry| geometry.wkb().ok());
            assert_eq!(found, Some(expected), "{}", layer.id);
            for (cell, attribute) in row.cells.iter().zip(&layer.definition.attributes) {
                let at = feature.field_index(&attribute.name).expect("the field");
                if let Cell::Text(expected) = cell {
                    assert_eq!(feature.field_as_string(at).expect("text").as_ref(), Some(expected));
                }
            }
        }
    }
}
