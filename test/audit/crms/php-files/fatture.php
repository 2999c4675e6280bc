<?php
require 'auth.php';
echo '<html>' . $db->query('select * from fatture') . '</html>';
