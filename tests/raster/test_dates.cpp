// SPDX-License-Identifier: Apache-2.0
// Dates in the names that products have.
#include <string>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/dates.hpp>

namespace rastertide {
namespace {

struct NameCase {
    const char* name;
    const char* expected;  ///< ISO 8601; "none"
};

class Names : public testing::TestWithParam<NameCase> {};

TEST_P(Names, TellWhenTheSceneWasTaken) {
    const auto date = date_from_filename(GetParam().name);
    EXPECT_EQ(date ? date->iso() : "none", GetParam().expected) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    Sentinel1, Names,
    testing::Values(
        NameCase{"S1A_IW_GRDH_1SDV_20200103T170815_20200103T170840_030639_0382D5_A1B2.zip",
                 "2020-01-03T17:08:15Z"},
        NameCase{"s1a-iw-grd-vv-20200103t170815-20200103t170840-030639-0382d5-001.tiff",
                 "2020-01-03T17:08:15Z"},
        NameCase{"s1b-iw1-slc-vh-20190301t055137-20190301t055205-015159-01c5a9-001.tiff",
                 "2019-03-01T05:51:37Z"},
        NameCase{
            "/data/S1A_IW_GRDH_1SDV_20200103T170815_20200103T170840_030639_0382D5_A1B2.SAFE/manifest.safe",
            "2020-01-03T17:08:15Z"},
        NameCase{"S1A_IW_20200103T170815_DVP_RTC30_G_gpuned_A1B2_VV.tif", "2020-01-03T17:08:15Z"},
        NameCase{"OPERA_L2_RTC-S1_T144-308029-IW1_20190103T170815Z_20230101T101112Z_S1A_30_v1.0_VV.tif",
                 "2019-01-03T17:08:15Z"},
        NameCase{"20200103_20200115.geo.unw.tif", "2020-01-03"}));

INSTANTIATE_TEST_SUITE_P(
    Sentinel2, Names,
    testing::Values(
        NameCase{"S2A_MSIL2A_20200103T105431_N0213_R051_T32UNE_20200105T121524.zip", "2020-01-03T10:54:31Z"},
        NameCase{"/d/S2A_MSIL2A_20200103T105431_N0213_R051_T32UNE_20200105T121524.SAFE/GRANULE/"
                 "L2A_T32UNE_A023697_20200103T105425/IMG_DATA/R10m/T32UNE_20200103T105431_B04_10m.jp2",
                 "2020-01-03T10:54:31Z"},
        NameCase{"/d/S2A_MSIL2A_20200103T105431_N0213_R051_T32UNE_20200105T121524.SAFE/MTD_MSIL2A.xml",
                 "2020-01-03T10:54:31Z"},
        NameCase{"SENTINEL2_L2A:/d/S2A_MSIL2A_20200103T105431_N0213_R051_T32UNE_20200105T121524.SAFE/"
                 "MTD_MSIL2A.xml:10m:EPSG_32632",
                 "2020-01-03T10:54:31Z"},
        // The first date is that of processing.
        NameCase{"S2A_OPER_PRD_MSIL1C_PDMC_20160107T231535_R008_V20160101T105431_20160101T105431.zip",
                 "2016-01-01T10:54:31Z"},
        NameCase{"SENTINEL2A_20200103-105431-123_L2A_T31UFU_C_V2-2_FRE_B4.tif", "2020-01-03"},
        NameCase{"S2A_32UNE_20200103_0_L2A_B04.tif", "2020-01-03"},
        NameCase{"HLS.S30.T32UNE.2020003T105431.v2.0.B04.tif", "2020-01-03T10:54:31Z"}));

INSTANTIATE_TEST_SUITE_P(
    Landsat, Names,
    testing::Values(NameCase{"LC08_L2SP_196022_20200101_20200110_02_T1_SR_B4.TIF", "2020-01-01"},
                    NameCase{"LE07_L1TP_196022_19990911_20170217_01_T1_B4.TIF", "1999-09-11"},
                    NameCase{"LT05_L1GS_201031_19850405_20171213_01_T2_sr_band4.tif", "1985-04-05"},
                    NameCase{"LC08_CU_003008_20200101_20210504_02_SR_B4.TIF", "2020-01-01"},
                    // Before the collections: path, row, year and day of year in one run of digits.
                    NameCase{"LC81960222020001LGN00_B4.TIF", "2020-01-01"},
                    NameCase{"LT51960222005366KIS00_B4.TIF", "none"},  // no leap year
                    NameCase{"HLS.L30.T32UNE.2020366T101010.v2.0.B04.tif", "2020-12-31T10:10:10Z"}));

INSTANTIATE_TEST_SUITE_P(
    Modis, Names,
    testing::Values(NameCase{"MOD13Q1.A2019001.h12v10.006.2019029000000.hdf", "2019-01-01"},
                    NameCase{"HDF4_EOS:EOS_GRID:\"/d/MOD13Q1.A2019001.h12v10.006.2019029000000.hdf\":"
                             "MODIS_Grid_16DAY_250m_500m_VI:250m 16 days NDVI",
                             "2019-01-01"},
                    NameCase{"MOD13Q1.A2019365.h12v10.006.NDVI_reprojected_20210102.tif", "2019-12-31"},
                    NameCase{"MOD021KM.A2019032.1030.061.2019033012345.hdf", "2019-02-01T10:30:00Z"},
                    NameCase{"VNP13A1.A2019001.h12v10.001.2019029000000.h5", "2019-01-01"},
                    NameCase{"MOD13Q1.061__250m_16_days_NDVI_doy2019033000000_aid0001.tif", "2019-02-02"},
                    NameCase{"MCD43A4.A2020366.h18v03.061.2021009000000.hdf", "2020-12-31"}));

INSTANTIATE_TEST_SUITE_P(
    Others, Names,
    testing::Values(
        NameCase{"20200103_105431_1040_3B_AnalyticMS.tif", "2020-01-03"},
        NameCase{"TSX1_SAR__MGD_SE___SM_S_SRA_20200103T170815_20200103T170823.tif", "2020-01-03T17:08:15Z"},
        NameCase{"CSKS1_GTC_B_HI_05_HH_RA_SF_20200103170815_20200103170822.h5", "2020-01-03T17:08:15Z"},
        NameCase{"c_gls_NDVI300_202001110000_GLOBE_PROBAV_V1.0.1.tiff", "2020-01-11T00:00:00Z"},
        NameCase{"PROBAV_S10_TOC_X18Y02_20200101_333M_NDVI_V101.tif", "2020-01-01"},
        NameCase{"chirps-v2.0.2020.01.03.tif", "2020-01-03"},
        NameCase{"AST_L1T_00301032020170815_20200204123456_12345.hdf", "2020-01-03T17:08:15Z"},
        NameCase{"NETCDF:\"/d/sst_2020-01-03.nc\":group/sst", "2020-01-03"},
        NameCase{"/vsizip//d/20180101.zip/vv_2020_01_03.tif", "2020-01-03"}));

TEST(Dates, OfOtherYearsThanTheFourDigitsOfIso8601AreNone) {
    EXPECT_EQ(parse_date("9999-12-31T23:59:59Z")->iso(), "9999-12-31T23:59:59Z");
    EXPECT_FALSE(parse_date("9999-12-31T23:59:59-01:00").has_value());
    EXPECT_FALSE(parse_date("0000-01-01T00:00+01:00").has_value());
}

TEST(Dates, LongTextsAndRegexesDoNotEndTheStack) {
    const std::string stars(1000000, '*');
    EXPECT_THROW(date_from_text("", std::string(1000000, '(')), InvalidArgument);
    EXPECT_FALSE(date_from_text(stars, "(.*)x").has_value());
    EXPECT_FALSE(date_from_filename("S2A_OPER_" + stars).has_value());
    EXPECT_EQ(date_from_filename("/d \"e\"/s_2020-01-03 \"f\".tif")->iso(), "2020-01-03");
}

INSTANTIATE_TEST_SUITE_P(
    NumbersThatAreNoDates, Names,
    testing::Values(NameCase{"orbit_030639_20200103.tif", "2020-01-03"}, NameCase{"tile_196022.tif", "none"},
                    NameCase{"frame_20200199.tif", "none"}, NameCase{"id_120200103.tif", "none"},
                    NameCase{"id_202001035.tif", "none"}, NameCase{"id_12019001.tif", "none"},
                    NameCase{"id_2019001000000.tif", "none"}, NameCase{"id_2019367.tif", "none"},
                    NameCase{"id_20200103241500.tif", "none"}, NameCase{"/archive/20200103/vv.tif", "none"},
                    NameCase{"2020.tif", "none"}, NameCase{"", "none"}));

}  // namespace
}  // namespace rastertide
