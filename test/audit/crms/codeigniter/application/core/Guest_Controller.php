<?php
defined('BASEPATH') or exit;
class Guest_Controller extends CI_Controller
{
    public function __construct()
    {
        parent::__construct();
        if ($this->session->userdata('user_type') != 2) {
            redirect('sessions/login');
        }
        $this->user_clients = $this->mdl_user_clients->assigned_to($this->session->userdata('user_id'));
    }
}
