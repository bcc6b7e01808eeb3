-- The composite key instead of the simple one.
ALTER TABLE analytics.regional_revenue DROP CONSTRAINT IF EXISTS regional_revenue_platform_fkey;
ALTER TABLE analytics.regional_revenue DROP CONSTRAINT IF EXISTS regional_revenue_platform_region_fkey;
ALTER TABLE analytics.regional_revenue ADD CONSTRAINT regional_revenue_platform_region_fkey
    FOREIGN KEY (platform, region) REFERENCES reference.platform_regions (platform, region);
