ALTER TABLE `tbl_estimates` ADD `estimate_url_key` char(32), ADD COLUMN status tinyint(1);
RENAME TABLE `tbl_estimates` TO `tbl_quotes`;
