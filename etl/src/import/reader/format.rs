//! Which format a file declares by its name, and which GDAL drivers may open
//! it. Never a driver that follows references elsewhere (VRT, WFS, HTTP ...).

use std::path::Path;

/// A format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Shapefile,
    GeoPackage,
    GeoJson,
    TopoJson,
    GeoJsonLines,
    Kml,
    Gpx,
    Dxf,
    FileGdb,
    FlatGeobuf,
    MapInfo,
    Gml,
    Interlis1,
    Interlis2,
    Osm,
    Sqlite,
    Spreadsheet,
    Csv,
}

/// What a name says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    A(Format),
    /// An archive to unpack: its contents declare the format.
    Zip,
    Gzip,
    /// Not readable, and why.
    Refused(&'static str),
}

const KNOWN: &str = "its name ends in none of the endings known: Shapefile (.shp, .zip), GeoPackage (.gpkg), GeoJSON (.geojson, .json, .geojsonl), KML (.kml, .kmz), \
     GPX, DXF, File Geodatabase (.gdb), FlatGeobuf (.fgb), MapInfo (.tab, .mif), GML, INTERLIS (.xtf, .itf), \
     OpenStreetMap (.osm, .pbf), TopoJSON, SpatiaLite (.sqlite), CSV (.csv, .tsv, .txt), spreadsheets (.xlsx, .ods)";

/// What the file's name (and for a folder its being one) declares.
pub(super) fn declared(path: &Path) -> Declared {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let extension = Path::new(&name).extension().and_then(|e| e.to_str()).unwrap_or_default();
    Declared::A(match extension {
        "shp" | "dbf" => Format::Shapefile,
        "shx" | "prj" | "cpg" | "sbn" | "sbx" => {
            return Declared::Refused("it is a part of a Shapefile: import the .shp beside it");
        }
        "gpkg" => Format::GeoPackage,
        "geojson" | "json" => Format::GeoJson,
        "topojson" => Format::TopoJson,
        "geojsonl" | "geojsons" | "ndjson" | "jsonl" | "geojsonseq" => Format::GeoJsonLines,
        "kml" | "kmz" => Format::Kml,
        "gpx" => Format::Gpx,
        "dxf" => Format::Dxf,
        "gdb" => Format::FileGdb,
        "fgb" => Format::FlatGeobuf,
        "tab" | "mif" | "mid" => Format::MapInfo,
        "gml" => Format::Gml,
        "itf" => Format::Interlis1,
        "xtf" => Format::Interlis2,
        "osm" | "pbf" => Format::Osm,
        "sqlite" | "db" | "sqlite3" => Format::Sqlite,
        "xlsx" | "xlsm" | "ods" => Format::Spreadsheet,
        "csv" | "tsv" | "txt" => Format::Csv,
        "zip" => return Declared::Zip,
        "gz" => return Declared::Gzip,
        "parquet" | "geoparquet" => {
            return Declared::Refused(
                "GeoParquet cannot be read yet: export it as GeoPackage (.gpkg), in QGIS for example",
            );
        }
        "dwg" => return Declared::Refused("DWG is a closed format: save the drawing as DXF"),
        "xls" => return Declared::Refused("this is the old Excel format: save the sheet as .xlsx or as CSV"),
        "mdb" => {
            return Declared::Refused(
                "a personal geodatabase cannot be read: export it as GeoPackage or File Geodatabase",
            );
        }
        "wkb" | "wkt" => {
            return Declared::Refused(
                "it holds bare geometries without attributes: convert it to GeoPackage or GeoJSON",
            );
        }
        "vrt" => return Declared::Refused("it points at other data: import the data itself"),
        "rar" | "7z" => return Declared::Refused("this archive cannot be unpacked: make a .zip of its contents"),
        "kmy" => return Declared::Refused("import the .kml or .kmz"),
        _ => return Declared::Refused(KNOWN),
    })
}

impl Format {
    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Shapefile => "Shapefile",
            Self::GeoPackage => "GeoPackage",
            Self::GeoJson => "GeoJSON",
            Self::TopoJson => "TopoJSON",
            Self::GeoJsonLines => "GeoJSON lines",
            Self::Kml => "KML",
            Self::Gpx => "GPX",
            Self::Dxf => "DXF",
            Self::FileGdb => "File Geodatabase",
            Self::FlatGeobuf => "FlatGeobuf",
            Self::MapInfo => "MapInfo",
            Self::Gml => "GML",
            Self::Interlis1 => "INTERLIS 1",
            Self::Interlis2 => "INTERLIS 2",
            Self::Osm => "OpenStreetMap",
            Self::Sqlite => "SQLite",
            Self::Spreadsheet => "spreadsheet",
            Self::Csv => "CSV",
        }
    }

    /// The only GDAL drivers that may look at the file.
    pub(super) fn drivers(self) -> &'static [&'static str] {
        match self {
            Self::Shapefile => &["ESRI Shapefile"],
            Self::GeoPackage => &["GPKG"],
            Self::GeoJson => &["GeoJSON", "TopoJSON", "ESRIJSON"],
            Self::TopoJson => &["TopoJSON"],
            Self::GeoJsonLines => &["GeoJSONSeq"],
            Self::Kml => &["LIBKML", "KML"],
            Self::Gpx => &["GPX"],
            Self::Dxf => &["DXF"],
            Self::FileGdb => &["OpenFileGDB"],
            Self::FlatGeobuf => &["FlatGeobuf"],
            Self::MapInfo => &["MapInfo File"],
            Self::Gml => &["GML"],
            Self::Interlis1 => &["Interlis 1"],
            Self::Interlis2 => &["Interlis 2"],
            Self::Osm => &["OSM"],
            Self::Sqlite => &["SQLite"],
            Self::Spreadsheet => &["XLSX", "ODS"],
            Self::Csv => &[],
        }
    }

    /// GDAL's open options: no guessing of types that loses what was written.
    pub(super) fn open_options(self) -> &'static [&'static str] {
        match self {
            // Bytes as they are: each becomes the character of its number.
            Self::Shapefile => &["ENCODING=ISO-8859-1", "ADJUST_TYPE=NO"],
            Self::GeoJson | Self::GeoJsonLines => &["DATE_AS_STRING=YES", "FLATTEN_NESTED_ATTRIBUTES=NO"],
            Self::Gml => &["DOWNLOAD_SCHEMA=NO", "WRITE_GFS=NO"],
            _ => &[],
        }
    }

    /// Whether its values are texts whose type is for us to find.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Spreadsheet)
    }

    /// Whether its layers have fields that the format makes up, most of them empty.
    pub(super) fn has_made_up_fields(self) -> bool {
        matches!(self, Self::Kml | Self::Gpx | Self::Dxf | Self::Osm)
    }

    /// Whether the declared geometry type of a layer is what its features are.
    pub(super) fn types_are_reliable(self) -> bool {
        matches!(self, Self::GeoPackage | Self::FlatGeobuf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_declare_formats() {
        assert_eq!(declared(Path::new("/x/Barrios.SHP")), Declared::A(Format::Shapefile));
        assert_eq!(declared(Path::new("predios.gdb")), Declared::A(Format::FileGdb));
        assert_eq!(declared(Path::new("a.csv.gz")), Declared::Gzip);
        assert!(matches!(declared(Path::new("a.vrt")), Declared::Refused(_)));
        assert!(matches!(declared(Path::new("a")), Declared::Refused(text) if text.contains("GeoPackage")));
    }

    #[test]
    fn no_driver_follows_references() {
        for format in [Format::GeoJson, Format::Kml, Format::Gml, Format::Sqlite] {
            for driver in format.drivers() {
                assert!(!["OGR_VRT", "WFS", "OAPIF", "HTTP", "CSW", "PostgreSQL", "CSV"].contains(driver));
            }
        }
    }
}
