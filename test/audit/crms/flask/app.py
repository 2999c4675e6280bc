from flask import Blueprint, Flask
from flask_login import login_required
proposals = Blueprint("proposals", __name__, url_prefix="/proposals")

@proposals.route("/", methods=["GET"])
@login_required
def index():
    return render_template("list.html", proposals=Proposal.query.all())

@proposals.route("/<int:id>/sign", methods=["POST"])
@login_required
def sign(id):
    Proposal.query.get(id).status = "signed"
    db.session.commit()
    return redirect("/proposals")

app = Flask(__name__)
app.register_blueprint(proposals)
