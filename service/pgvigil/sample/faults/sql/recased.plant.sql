-- Half of the codes lose their case, the other half gain a blank.
UPDATE analytics.campaign_touches
SET campaign = CASE WHEN id %% 2 = 0 THEN lower(campaign) ELSE campaign || ' ' END
WHERE id = ANY (%(ids)s)
RETURNING id, campaign
