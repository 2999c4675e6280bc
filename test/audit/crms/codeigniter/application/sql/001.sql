CREATE TABLE `tbl_clients` (`client_id` int(11) NOT NULL AUTO_INCREMENT, `client_name` varchar(50), PRIMARY KEY (`client_id`));
CREATE TABLE `tbl_users` (`user_id` int(11) NOT NULL, `user_type` int(1), `user_password` varchar(60), PRIMARY KEY (`user_id`));
CREATE TABLE `tbl_user_clients` (`id` int(11), `user_id` int(11), `client_id` int(11));
CREATE TABLE `tbl_estimates` (`estimate_id` int(11), `client_id` int(11), `estimate_number` varchar(20), `estimate_total` double, `estimate_date` date, KEY `c` (`client_id`));
