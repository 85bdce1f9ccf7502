// SPDX-License-Identifier: Apache-2.0
// The parts that all our VRT files are made of.
#pragma once

#include <functional>
#include <string>

#include <rastertide/grid/grid.hpp>
#include <rastertide/write/mosaic.hpp>

#include "read/gdal_handles.hpp"

namespace rastertide {

/// Reads back to the same double.
std::string xml_number(double value);

void add_attribute(CPLXMLNode* node, const char* name, const std::string& value);
CPLXMLNode* add_element(CPLXMLNode* parent, const char* name, const std::string& text);
void add_metadata(CPLXMLNode* parent, const MetadataItems& items);
/// A SrcRect or DstRect.
void add_window(CPLXMLNode* source, const char* name, const Window& window);

/// VRTDataset with size, georeference and metadata, without bands.
XmlHandle make_vrt_root(const Grid& grid, const MetadataItems& metadata);
/// VRTRasterBand of which no more is said than its type and number.
XmlHandle make_bare_vrt_band(SampleType type, int i_band);
/// VRTRasterBand of the product with all that is said of it (type, description, nodata, legend), without
/// sources.
XmlHandle make_vrt_band(const Product& product, int i_band);
/// The items of a product, AREA_OR_POINT among them.
MetadataItems product_metadata(const Product& product);

/// Writes root with its bands, one after the other: the tree of hundreds of dates takes gigabytes.
/// @param make_band  is called with 1, 2, ... n_bands
void write_vrt(const std::string& path, const XmlHandle& root, int n_bands,
               const std::function<XmlHandle(int)>& make_band);

}  // namespace rastertide
