-- All campaign codes are upper case, without blanks around them.
UPDATE analytics.campaign_touches SET campaign = upper(btrim(campaign)) WHERE campaign <> upper(btrim(campaign))
