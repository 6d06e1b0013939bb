import { Router } from 'express';
import * as admin from '../controllers/adminController.js';
import { requireAdmin } from '../middleware/auth.js';
import { upload } from '../middleware/upload.js';

export const adminRouter = Router();
adminRouter.use(requireAdmin);

adminRouter.get('/dashboard', admin.showDashboard);
adminRouter.get('/status', admin.showStatus);
adminRouter.get('/best-sellers', admin.showBestSellers);
adminRouter.get('/orders', admin.listAdminOrders);
adminRouter.get('/orders/export.csv', admin.exportOrders);
adminRouter.post('/orders/:id/ship', admin.shipOrder);
adminRouter.get('/customers', admin.listCustomers);
adminRouter.post('/customers/subscribe', admin.subscribeCustomers);
adminRouter.put('/prices', admin.updatePrices);
adminRouter.post('/products/:id/image', upload.single('image'), admin.uploadImage);
adminRouter.post('/announcements', admin.sendAnnouncement);
