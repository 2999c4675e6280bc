<?php
$token = $_GET['token'];
$fattura = $db->query('select * from fatture where access_token = ' . $db->quote($token));
echo '<html>' . $fattura['numero'] . '</html>';
