app_name = "ivk"
urlpatterns = []
