<?php
defined('BASEPATH') or exit;
class Admin_Controller extends CI_Controller
{
    public function __construct()
    {
        if ($this->session->userdata('user_type') != 1) {
            redirect('sessions/login');
        }
    }
}
