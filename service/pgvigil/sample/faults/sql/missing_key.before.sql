-- A migration made the composite key a simple one, which lets through what the composite one did not.
ALTER TABLE analytics.regional_revenue DROP CONSTRAINT IF EXISTS regional_revenue_platform_region_fkey;
ALTER TABLE analytics.regional_revenue ADD CONSTRAINT regional_revenue_platform_fkey
    FOREIGN KEY (platform) REFERENCES reference.platforms (code);
